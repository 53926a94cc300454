import { describe, expect, it, onTestFinished } from 'vitest'
import { bundleServers } from '../../bench/processes/server-bundle.ts'
import { attemptKinds } from '../../bench/refusals/attempts.ts'
import { measureRefusals, median, ratio } from '../../bench/refusals/measurement.ts'

/** How often it is measured until it holds: other work on the machine makes single rounds dearer. */
const measurements = 5

describe('somebody who is turned away', () => {
  it(
    'costs the server less than somebody who is let in, however that is done',
    { timeout: 300_000 },
    async ({ task }) => {
      const [accepted, ...refused] = attemptKinds
      if (accepted === undefined) throw new Error('There is nothing to compare with.')
      const bundle = bundleServers(['refusing'])
      onTestFinished(() => bundle.remove())
      for (let attempt = 1; ; attempt++) {
        const plan = { kinds: attemptKinds, rounds: 7, attempts: 200 }
        const costs = await measureRefusals(plan, [process.execPath], bundle)
        task.meta.notes = attemptKinds.map((kind) => {
          const micros = Math.round(median(costs.get(kind) ?? []))
          return `${micros} µs of CPU, ${ratio(costs, kind, accepted).toFixed(2)} × that of accepted: ${kind.title}`
        })
        const dear = refused.filter((kind) => !(ratio(costs, kind, accepted) < 1)).map(({ title }) => title)
        if (attempt < measurements && dear.length > 0) continue
        expect(dear).toEqual([])
        return
      }
    },
  )
})
