import type { Trace, TraceEvent, TraceFullness } from './trace.ts'
import { TraceError } from './trace-error.ts'
import { checkFields, formatVersion, type TraceRecord } from './trace-record.ts'

/**
 * Writes what was recorded so far, as JSON lines: a header, one line for each event, and an end. The recording goes on.
 *
 * @param recorder - a recorder, as {@link recordTrace} makes it
 */
export function writeTrace(recorder: { lines(): readonly string[] }): string {
  return `${recorder.lines().join('\n')}\n`
}

/**
 * Reads a trace.
 *
 * @throws TraceError when a line is not one of a trace, with its number and what is wrong with it; and when the last one
 * is missing. Nothing is passed over.
 */
export function readTrace(text: string): Trace {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === 0) throw new TraceError(1, 'it is missing: a trace begins with its header.')
  const [startedAt, ...records] = lines.map((line, index) =>
    index === 0 ? readHeader(line) : readRecord(line, index + 1),
  )
  return new Reading(startedAt as number, records as TraceRecord[]).trace
}

function parse(text: string, line: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new TraceError(line, 'it is not JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TraceError(line, 'it is no object.')
  return value as Record<string, unknown>
}

function readHeader(text: string): number {
  const { greenroom, version, startedAt } = parse(text, 1)
  if (greenroom !== 'trace') throw new TraceError(1, 'it does not begin a trace: "greenroom" is not "trace".')
  if (version !== formatVersion) {
    throw new TraceError(1, `version ${JSON.stringify(version)} is not known here, only ${formatVersion}.`)
  }
  if (typeof startedAt !== 'number') throw new TraceError(1, '"startedAt" is not a number.')
  return startedAt
}

function readRecord(text: string, line: number): TraceRecord {
  const record = parse(text, line)
  const fault = checkFields(record)
  if (fault !== undefined) throw new TraceError(line, fault)
  return record as unknown as TraceRecord
}

/** Takes records in one after the other, and sees that each fits those before it. */
class Reading {
  readonly #events: TraceEvent[] = []
  readonly #fullness: TraceFullness[] = []
  readonly #ids: string[] = []
  readonly #randoms: number[] = []
  readonly #open = new Set<number>()
  #accepted = 0
  #line = 1
  #at = 0
  readonly trace: Trace

  constructor(startedAt: number, records: readonly TraceRecord[]) {
    const end = records.at(-1)
    for (const record of records) {
      this.#line++
      if (record.at < this.#at) this.#fail(`"at" is ${record.at}, after ${this.#at} in the line before.`)
      this.#at = record.at
      if (record.type === 'end' && record !== end) this.#fail('nothing may follow the end.')
      this.#take(record)
    }
    if (end?.type !== 'end')
      throw new TraceError(this.#line + 1, 'it is missing: the last line of a trace is its "end".')
    this.trace = {
      startedAt,
      durationMs: end.at,
      ...(end.stopped === undefined ? {} : { stopped: end.stopped }),
      events: this.#events,
      fullness: this.#fullness,
      ids: this.#ids,
      randoms: this.#randoms,
    }
  }

  #take(record: TraceRecord): void {
    if (record.type === 'end') return
    if (record.type === 'id') this.#ids.push(record.value)
    else if (record.type === 'random') this.#randoms.push(record.value)
    else if (record.type === 'accept') this.#accept(record)
    else if (!this.#open.has(record.connection)) this.#fail(`connection ${record.connection} is not there.`)
    else if (record.type === 'full') this.#fullness.push(record)
    else this.#events.push(eventOf(record))
    if (record.type === 'closed') this.#open.delete(record.connection)
  }

  #accept(record: Extract<TraceRecord, { type: 'accept' }>): void {
    this.#accepted++
    if (record.connection !== this.#accepted) this.#fail(`the next connection is ${this.#accepted}.`)
    this.#open.add(record.connection)
    this.#events.push(eventOf(record))
  }

  #fail(what: string): never {
    throw new TraceError(this.#line, what)
  }
}

type EventRecord = Exclude<TraceRecord, { type: 'id' | 'random' | 'full' | 'end' }>

function eventOf({ steps = 0, joined = false, ...record }: EventRecord): TraceEvent {
  const place = { steps, joined }
  if (record.type === 'text') {
    const { json, text = JSON.stringify(json), ...rest } = record
    return { ...rest, ...place, text }
  }
  if (record.type === 'binary') {
    const { base64, ...rest } = record
    return { ...rest, ...place, bytes: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)) }
  }
  return { ...record, ...place }
}
