import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Presence } from '../../src/runtime/room/presence.ts'

const step = fc.record({
  do: fc.constantFrom('join', 'update', 'leave', 'assign'),
  user: fc.constantFrom('ada', 'bob', '__proto__'),
  tab: fc.constantFrom(1, 2, 3),
  state: fc.option(fc.constantFrom('here', 'away'), { nil: undefined }),
  role: fc.option(fc.constantFrom('owner', 'guest'), { nil: undefined }),
})

describe('presence', () => {
  it('[PRESENCE] whoever follows the changes sees exactly who is here, each user once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const presence = new Presence()
        const tabs = new Set<string>()
        const view = new Map<string, unknown>()
        const roles = new Map<string, Map<string, string>>()
        const roleOf = (name: string): string | undefined => [...(roles.get(name)?.values() ?? [])].at(-1)
        for (const { do: what, user, tab, state, role } of steps) {
          const session = `${user}:${tab}`
          if (what === 'join') tabs.add(session)
          if (what === 'leave') tabs.delete(session)
          if (what !== 'update') roles.get(user)?.delete(session)
          const own = roles.get(user) ?? new Map<string, string>()
          if (role !== undefined && what !== 'update' && tabs.has(session)) roles.set(user, own.set(session, role))
          const change =
            what === 'join'
              ? presence.join(user, session, { state, role })
              : what === 'assign'
                ? presence.assign(user, session, role)
                : what === 'leave'
                  ? presence.leave(user, session)
                  : presence.update(user, session, state ?? null)
          for (const member of change?.joined ?? []) {
            expect(view.has(member.user)).toBe(false)
            view.set(member.user, member.state)
            expect(member.role).toBe(roleOf(member.user))
          }
          for (const member of change?.updated ?? []) {
            expect(view.has(member.user)).toBe(true)
            expect(member.role).toBe(roleOf(member.user))
            view.set(member.user, member.state)
          }
          for (const left of change?.left ?? []) expect(view.delete(left)).toBe(true)
          expect(new Map(presence.members().map((member) => [member.user, member.state]))).toEqual(view)
          for (const { user, role } of presence.members()) expect(role).toBe(roleOf(user))
          expect(new Set(view.keys())).toEqual(new Set([...tabs].map((name) => name.split(':')[0])))
        }
      }),
    )
  })

  it('[PRESENCE] a user with three tabs joins once and leaves once', () => {
    const presence = new Presence()
    const changes = [1, 2, 3].map((tab) => presence.join('ada', `tab-${tab}`, undefined))
    expect(changes).toEqual([{ joined: [{ user: 'ada' }] }, undefined, undefined])
    expect([1, 2, 3].map((tab) => presence.leave('ada', `tab-${tab}`))).toEqual([
      undefined,
      undefined,
      { left: ['ada'] },
    ])
  })
})
