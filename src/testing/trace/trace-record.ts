/** The version of the format that is written, and the only one that is read. */
export const formatVersion = 1

interface Place {
  readonly at: number
  readonly steps?: number
  readonly joined?: boolean
  readonly within?: 'resume' | 'terminate'
}

/** One line of a trace, as it stands in the file. */
export type TraceRecord =
  | (Place & { readonly connection: number } & (
        | {
            readonly type: 'accept'
            readonly protocol: string
            readonly address: string
            readonly url: string
            readonly token?: string
          }
        /** JSON that says the frame to the byte is shown as what it is, any other text as text. */
        | { readonly type: 'text'; readonly text?: string; readonly json?: unknown }
        | { readonly type: 'binary'; readonly base64: string }
        | { readonly type: 'ping' | 'pong' }
        | { readonly type: 'drained'; readonly buffered: number }
        | { readonly type: 'closed'; readonly code: number }
      ))
  | {
      readonly at: number
      readonly type: 'full'
      readonly connection: number
      readonly writes: number
      readonly buffered: number
    }
  | { readonly at: number; readonly type: 'id'; readonly value: string }
  | { readonly at: number; readonly type: 'random'; readonly value: number }
  | { readonly at: number; readonly type: 'end'; readonly stopped?: 'max-bytes' }

/** What must be in a field, in words, and whether it is. */
interface Field {
  readonly is: string
  check(value: unknown): boolean
}

const text: Field = { is: 'a text', check: (value) => typeof value === 'string' }
const count: Field = {
  is: 'a whole number ≥ 0',
  check: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
}
const time: Field = { is: 'a number ≥ 0', check: (value) => typeof value === 'number' && value >= 0 }
const one = (...values: readonly unknown[]): Field => ({
  is: values.map((value) => JSON.stringify(value)).join(' or '),
  check: (value) => values.includes(value),
})
const orNothing = ({ is, check }: Field): Field => ({ is, check: (value) => value === undefined || check(value) })
const anything: Field = { is: 'anything', check: () => true }

const isBase64 = (value: string): boolean => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
const base64: Field = { is: 'base64', check: (value) => typeof value === 'string' && isBase64(value) }
const fraction: Field = { is: 'a number from 0 to 1', check: (value) => time.check(value) && (value as number) < 1 }

const placed = {
  connection: count,
  steps: orNothing(count),
  joined: orNothing(one(true, false)),
  within: orNothing(one('resume', 'terminate')),
}

const fields: { readonly [Type in TraceRecord['type']]: Readonly<Record<string, Field>> } = {
  accept: { ...placed, protocol: text, address: text, url: text, token: orNothing(text) },
  text: { ...placed, text: orNothing(text), json: anything },
  binary: { ...placed, base64 },
  ping: placed,
  pong: placed,
  drained: { ...placed, buffered: count },
  closed: { ...placed, code: count },
  full: { connection: count, writes: count, buffered: count },
  id: { value: text },
  random: { value: fraction },
  end: { stopped: orNothing(one('max-bytes')) },
}

/** Says what is wrong with a line, if anything is. */
export function checkFields(record: Readonly<Record<string, unknown>>): string | undefined {
  const { type } = record
  if (typeof type !== 'string' || !Object.hasOwn(fields, type)) return `there is no type ${JSON.stringify(type)}.`
  const known: Readonly<Record<string, Field>> = { at: time, type: text, ...fields[type as TraceRecord['type']] }
  for (const name of Object.keys(record)) if (!Object.hasOwn(known, name)) return `${type} has no field "${name}".`
  for (const [name, { is, check }] of Object.entries(known)) {
    if (!check(record[name])) return `"${name}" must be ${is}, not ${JSON.stringify(record[name])}.`
  }
  if (type === 'text' && Object.hasOwn(record, 'text') === Object.hasOwn(record, 'json')) {
    return 'a text has either "text" or "json".'
  }
  return undefined
}
