import type { Check } from '../check.ts'
import { expectFit } from '../expectation.ts'

export const fenceChecks: readonly Check[] = [
  {
    rule: 'FENCE',
    says: 'the newest connection that claims a session owns it, and the one before is closed with 4009 and hears no more',
    run: async (site) => {
      const room = site.room()
      const [bob, older] = [await site.member('bob', room), await site.member('ada', room)]
      const newer = await site.comeBack(older, 'ada, newer')
      expectFit(newer.welcome, { resumed: true, ...older.claim }, 'the welcome')
      await older.isClosedWith(4009)
      await bob.say(room, 'for one')
      await newer.hears({ type: 'message', room, data: 'for one' })
      expectFit(older.heard(room), [], 'what the older connection hears')
      const newest = await site.comeBack(older, 'ada, newest')
      await newer.isClosedWith(4009)
      await newest.say(room, 'mine')
    },
  },
  {
    rule: 'FENCE',
    says: 'what still arrives from the older connection has no effect, also when it does not hear that it was closed',
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const older = await site.raw('ada')
      older.send({ type: 'hello', ...site.credentialsOf('ada') })
      const claim = await older.until('a welcome', () => older.claim)
      older.send({ type: 'join', room })
      await older.until('a joined', () => older.texts.find((text) => text.includes('"joined"')))
      const newer = await site.enter('ada, newer', {}, claim)
      expectFit(newer.welcome, { resumed: true, ...claim }, 'the welcome')
      expectFit(await older.closeCode(), 4009, 'the close code of the older connection')
      older.send({ type: 'message', room, data: 'late' })
      older.send({ type: 'leave', room })
      // Nothing tells when the server has read that; it has had two answers' time.
      await newer.say(room, 'mine')
      await newer.say(room, 'still mine')
      await bob.hearsMany(room, 2)
      expectFit(bob.heard(room), [{ data: 'mine' }, { data: 'still mine' }], 'what others hear')
    },
  },
  {
    rule: 'FENCE',
    says: 'of several that claim a session at once one owns it at last, and the others are closed with 4009',
    run: async (site) => {
      const room = site.room()
      const [bob, first] = [await site.member('bob', room), await site.member('ada', room)]
      const rivals = await Promise.all([1, 2, 3, 4].map((n) => site.open(`ada, ${n}`)))
      for (const rival of rivals) rival.send({ type: 'hello', ...site.credentialsOf('ada'), resume: first.claim })
      const all = [first, ...rivals]
      await allButOne(all.map((client) => client.ends()))
      const codes = all.flatMap(({ closed }) => (closed === undefined ? [] : [closed.code]))
      expectFit(codes, [4009, 4009, 4009, 4009], 'the close codes of the others')
      await bob.say(room, 'for one')
      const owner = all.find(({ closed }) => closed === undefined)
      await owner?.hears({ type: 'message', room, data: 'for one' })
    },
  },
]

/** Awaits all of them but the last. */
async function allButOne(ends: readonly Promise<unknown>[]): Promise<void> {
  let left = ends.length - 1
  await new Promise<void>((resolve, reject) => {
    for (const end of ends) {
      end.then(() => {
        left--
        if (left === 0) resolve()
      }, reject)
    }
  })
}
