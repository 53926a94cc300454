import type { ServerName } from './dialects.ts'
import type { Reading } from './fanout/measurement.ts'
import type { Workload } from './fanout/workloads.ts'

/** All readings of one workload, by server. */
export interface Readings {
  readonly workload: Workload
  readonly byServer: ReadonlyMap<ServerName, readonly Reading[]>
}

interface Ratios {
  readonly saturated: { readonly vsWs?: number; readonly vsSocketIo?: number }
  readonly pacedCpu?: { readonly vsWs?: number }
}

/** The ratios by workload: of throughput, where more is better, and of paced CPU time, where less is. */
export type Summary = Partial<Record<Workload['name'], Ratios>>

const subject: ServerName = 'greenroom'

/** What Greenroom's medians are to the others'. Servers that did not run are left out. */
export function summarize(all: readonly Readings[]): Summary {
  return Object.fromEntries(all.map((readings) => [readings.workload.name, ratiosOf(readings)]))
}

function ratiosOf({ workload, byServer }: Readings): Ratios {
  const ratio = (other: ServerName, valueOf: (reading: Reading) => number): number | undefined => {
    const [ours, theirs] = [byServer.get(subject), byServer.get(other)]
    if (ours === undefined || theirs === undefined) return undefined
    return Math.round((median(ours, valueOf) / median(theirs, valueOf)) * 100) / 100
  }
  const saturated = withoutGaps({ vsWs: ratio('ws', perSecond), vsSocketIo: ratio('socket-io', perSecond) })
  return workload.paced ? { saturated, pacedCpu: withoutGaps({ vsWs: ratio('ws', pacedCpu) }) } : { saturated }
}

/** The absolute figures, as a table for people. */
export function table(all: readonly Readings[]): string {
  const head = ['', 'per second', '(min–max)', 'Greenroom is', 'CPU µs each', 'paced µs', 'server', 'clients']
  const lines = all.flatMap((readings) => [
    '',
    `${readings.workload.name}: ${readings.workload.title}`,
    ...rows(readings),
  ])
  return [formatRow(head), ...lines].join('\n')
}

function rows({ byServer }: Readings): string[] {
  const ours = byServer.get(subject)
  return [...byServer].map(([name, readings]) => {
    const rate = median(readings, perSecond)
    const rates = readings.map(perSecond)
    const times = ours === undefined || name === subject ? '' : `${(median(ours, perSecond) / rate).toFixed(2)} ×`
    const paced = median(readings, pacedCpu)
    return formatRow([
      name,
      thousands(rate),
      `${thousands(Math.min(...rates))}–${thousands(Math.max(...rates))}`,
      times,
      median(readings, ({ saturated }) => saturated.cpuMicros).toFixed(2),
      Number.isNaN(paced) ? '' : paced.toFixed(2),
      percent(median(readings, ({ saturated }) => saturated.serverLoad)),
      percent(median(readings, ({ saturated }) => saturated.clientLoad)),
    ])
  })
}

const perSecond = ({ saturated }: Reading): number => saturated.perSecond
const pacedCpu = ({ pacedCpuMicros }: Reading): number => pacedCpuMicros ?? Number.NaN
const thousands = (value: number): string => `${(value / 1_000).toFixed(1)} k`
const percent = (share: number): string => `${Math.round(share * 100)} %`

function formatRow([name = '', ...cells]: readonly string[]): string {
  return name.padEnd(10) + cells.map((cell) => cell.padStart(cell.includes('–') ? 20 : 13)).join('')
}

function median(readings: readonly Reading[], valueOf: (reading: Reading) => number): number {
  const sorted = readings.map(valueOf).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  return (low + high) / 2
}

function withoutGaps<Name extends string>(values: Record<Name, number | undefined>): Partial<Record<Name, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<Name, number>
  >
}
