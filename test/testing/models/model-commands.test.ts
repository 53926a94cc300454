import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setup } from 'xstate'
import { machineModel, modelCommands, type ModelCommand, type ModelDriver, type SeenSnapshot } from 'greenroom/testing'

const machine = setup({
  types: { events: {} as { type: 'go' | 'stop' | 'x.one' } },
  delays: { late: 500 },
}).createMachine({
  id: 'lamp',
  initial: 'off',
  on: { 'x.*': '.off' },
  states: { off: { on: { go: 'on' } }, on: { on: { stop: 'off' }, after: { late: 'off' } } },
})

/** A system that does as the chart does: what it is told is what counts here. */
function obedient(refused?: string) {
  const told: string[] = []
  const seen: { snapshot: () => SeenSnapshot } = { snapshot: () => ({ value: 'off' }) }
  const driver: ModelDriver = {
    send: ({ type, ...carried }) => void told.push(JSON.stringify([type, carried])),
    advance: (ms) => void told.push(`${ms}`),
    snapshot: () => seen.snapshot(),
    canSend: ({ type }) => type !== refused,
  }
  const { model, real } = machineModel(machine, driver)
  seen.snapshot = () => model.snapshot
  return { model, real, told }
}

const all = (commands: fc.Arbitrary<Iterable<ModelCommand>>): ModelCommand[] =>
  fc.sample(commands, { numRuns: 200, seed: 1 }).flatMap((history) => [...history])

const kinds = (commands: fc.Arbitrary<Iterable<ModelCommand>>): string[] =>
  [...new Set(all(commands).map((command) => command.toString().replace(/\d+/g, 'n')))].toSorted()

describe('modelCommands', () => {
  it('are the events of a machine, those under a wildcard left out, and time', () => {
    expect(kinds(modelCommands(machine))).toEqual([
      '+n ms',
      'exactly to the end of the next delay',
      'go',
      'just before the end of the next delay',
      'past the end of the next delay',
      'stop',
    ])
  })

  it('carry what they are told to, and show it', () => {
    const events = {
      go: fc.record({ data: fc.record({ square: fc.nat(8) }) }),
      'x.one': fc.constant({ at: undefined }),
    }
    expect(kinds(modelCommands(machine, { events, without: ['stop'] }))).toEqual([
      '+n ms',
      'exactly to the end of the next delay',
      'go {"data":{"square":n}}',
      'just before the end of the next delay',
      'past the end of the next delay',
      'x.one {"at":undefined}',
    ])
  })

  it('come as often as they are weighted', () => {
    const commands = all(modelCommands(machine, { weights: { go: 40, stop: 0 } })).map(String)
    expect(commands.filter((command) => command === 'stop')).toEqual([])
    expect(commands.filter((command) => command === 'go').length).toBeGreaterThan(commands.length / 2)
  })

  it('go to just before, exactly to and past the end of the delay that is due next, and show how far that was', async () => {
    const times = new Set<string>()
    for (const history of fc.sample(modelCommands(machine, { stepMs: fc.constant(7) }), { numRuns: 100, seed: 2 })) {
      const { model, real, told } = obedient()
      for (const command of history) {
        if (!command.check(model)) continue
        const due = model.nextDelayMs
        await command.run(model, real)
        if (!command.toString().startsWith('+')) continue
        expect(command.toString()).toBe(`+${told.at(-1)} ms`)
        if (told.at(-1) === '7') continue
        expect([-1, 0, 1]).toContain(Number(told.at(-1)) - (due ?? NaN))
        times.add(command.toString())
      }
    }
    expect([...times]).toEqual(expect.arrayContaining(['+499 ms', '+500 ms', '+501 ms']))
  })

  it('pass over what the driver cannot do, and delays where none is running', async () => {
    const { model, real, told } = obedient('go')
    for (const command of all(modelCommands(machine, { stepMs: fc.constant(7) }))) {
      if (command.check(model)) await command.run(model, real)
    }
    expect([...new Set(told)].toSorted()).toEqual(['7', '["stop",{}]'])
  })

  it('of a machine that does not know what they are told of are refused', () => {
    const go = fc.constant({})
    expect(() => modelCommands(machine, { events: { gone: go } as never })).toThrow("'lamp' names no event 'gone'.")
    expect(() => modelCommands(machine, { without: ['y.one'] as never })).toThrow("'lamp' names no event 'y.one'.")
    expect(() => modelCommands(machine, { actors: { look: go } })).toThrow("'lamp' invokes no actor 'look'.")
  })
})
