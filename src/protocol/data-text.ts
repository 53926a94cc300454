import { protocolLimits } from './limits.ts'
import type { PublishMessage } from './messages.ts'

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c

/**
 * The members of a message that hold its data, as its sender wrote them: `,"data":…`, perhaps `,"meta":…`. What is
 * relayed is this and not the parsed value written again, which may be many times as large (`1e20`) or another
 * (`12345678901234567890`). A copy, so that nothing keeps the rest of the frame.
 *
 * @param text - a JSON object, which has been parsed before
 * @returns undefined where the text nests deeper than its value, by a member that stands in it twice
 */
export function dataTextOf(text: string): string | undefined {
  let data: string | undefined
  let meta = ''
  let at = text.indexOf('"')
  while (at >= 0) {
    const key = { begin: at, end: endOfString(text, at) }
    const begin = skipSpace(text, text.indexOf(':', key.end) + 1)
    const end = endOfValue(text, begin)
    if (end === undefined) return undefined
    const name = nameOf(text, key.begin, key.end)
    // Of members that stand twice the last counts, as it does for `JSON.parse`.
    if (name === 'data') data = text.slice(begin, end)
    else if (name === 'meta') meta = `,"meta":${text.slice(begin, end)}`
    at = text.indexOf('"', end)
  }
  return data === undefined ? undefined : flat(`,"data":${data}${meta}`)
}

/** The same of a message that may have been made here, and then has no text. */
export function dataMembersOf({ data, meta, dataText }: Pick<PublishMessage, 'data' | 'meta' | 'dataText'>): string {
  if (dataText !== undefined) return dataText
  const text = `,"data":${JSON.stringify(data)}`
  return meta === undefined ? text : `${text},"meta":${JSON.stringify(meta)}`
}

/** V8 puts strings together only when they are read; until then a part refers to the whole that it was cut from. */
function flat(text: string): string {
  text.charCodeAt(0)
  return text
}

function nameOf(text: string, begin: number, end: number): unknown {
  const name = text.slice(begin + 1, end - 1)
  return name.includes('\\') ? JSON.parse(`"${name}"`) : name
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}

/** Where a string ends that begins at a quotation mark. */
function endOfString(text: string, begin: number): number {
  for (let at = text.indexOf('"', begin + 1); ; at = text.indexOf('"', at + 1)) {
    let escapes = at
    while (text.charCodeAt(escapes - 1) === backslash) escapes--
    if ((at - escapes) % 2 === 0) return at + 1
  }
}

// Brackets and braces differ by one bit.
const opens = (code: number): boolean => (code | 0x20) === 0x7b
const closes = (code: number): boolean => (code | 0x20) === 0x7d

function endOfValue(text: string, begin: number): number | undefined {
  const first = text.charCodeAt(begin)
  if (first === quote) return endOfString(text, begin)
  if (opens(first)) return endOfContainer(text, begin)
  let at = begin + 1
  for (let code = first; code > 0x20 && code !== comma && !closes(code); at++) code = text.charCodeAt(at)
  return at - 1
}

function endOfContainer(text: string, begin: number): number | undefined {
  let depth = 0
  for (let at = begin; ; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at) - 1
    else if (opens(code) && ++depth > protocolLimits.dataDepth) return undefined
    else if (closes(code) && --depth === 0) return at + 1
  }
}
