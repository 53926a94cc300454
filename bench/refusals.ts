/**
 * What it costs the server to turn somebody away, compared with letting them in: CPU time for each attempt, from the
 * connection to its end. Every kind has a server in a process of its own, and they take turns.
 */
import { parseArgs } from 'node:util'
import { pinClients } from './processes/cpu-pinning.ts'
import { bundleServers } from './processes/server-bundle.ts'
import { attemptKinds } from './refusals/attempts.ts'
import { measureRefusals, median, ratio } from './refusals/measurement.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, attempts: { type: 'string', default: '500' } },
})
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
const bundle = bundleServers(['refusing'])
process.once('exit', () => bundle.remove())

const plan = { kinds: attemptKinds, rounds: Number(values.rounds), attempts: Number(values.attempts) }
const costs = await measureRefusals(plan, [...pinClients(), process.execPath], bundle)
const [accepted] = attemptKinds
if (accepted === undefined) throw new Error('There is nothing to compare with.')

const row = (cells: readonly string[], title: string): string =>
  `${cells.map((cell) => cell.padStart(12)).join('')}  ${title}`
console.log(
  row(['CPU µs each', '(min–max)', 'of accepted'], `medians of ${plan.rounds} rounds, ${plan.attempts} attempts each`),
)
for (const [kind, micros] of costs) {
  const range = `${Math.round(Math.min(...micros))}–${Math.round(Math.max(...micros))}`
  console.log(
    row([String(Math.round(median(micros))), range, `${ratio(costs, kind, accepted).toFixed(2)} ×`], kind.title),
  )
}
