import { partsOf, utf8Length, type Json, type PublishMessage } from '../../protocol/index.ts'

/** What anything that waits costs by itself, and what each part of its data does beside its text (bytes, roughly). */
const overheadBytes = 100
const partBytes = 50

/** What stands in a decoded message as it came: it takes what it takes. */
type Unparsed = Pick<PublishMessage, 'bytes' | 'dataText'>

/**
 * What a decoded message costs while it waits (bytes, roughly): its text, and what its parts take once parsed, which may
 * be ten times as much.
 */
export function sizeOf(message: object | undefined): number {
  if (message === undefined) return overheadBytes
  const { dataText = '' } = message as Unparsed
  return overheadBytes + textSizeOf(message) + utf8Length(dataText) + partBytes * partsOf(parsedPartsOf(message))
}

/** What a decoded message takes as a frame (bytes). */
export function textSizeOf(message: object): number {
  return ((message as Unparsed).bytes?.byteLength ?? 0) + utf8Length(JSON.stringify(parsedPartsOf(message)))
}

/** What a presence state takes as JSON (bytes). */
export function presenceSizeOf(state: Json): number {
  return utf8Length(JSON.stringify(state))
}

function parsedPartsOf(message: object): object {
  const { bytes: _, dataText: __, ...parsed } = message as Unparsed
  return parsed
}
