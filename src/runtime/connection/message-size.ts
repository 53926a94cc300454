import { partsOf, utf8Length } from '../../protocol/index.ts'

/** What anything that waits costs by itself, and what each part of its data does beside its text (bytes, roughly). */
const overheadBytes = 100
const partBytes = 50

/**
 * What a decoded message costs while it waits (bytes, roughly): its text, and what its parts take once parsed, which may
 * be ten times as much.
 */
export function sizeOf(message: object | undefined): number {
  if (message === undefined) return overheadBytes
  // Bytes are no parts: they take what they take.
  const { bytes: _, ...said } = message as { readonly bytes?: Uint8Array }
  return overheadBytes + textSizeOf(message) + partBytes * partsOf(said)
}

/** What a decoded message takes as a frame (bytes). */
export function textSizeOf(message: object): number {
  const { bytes, ...said } = message as { readonly bytes?: Uint8Array }
  return (bytes?.byteLength ?? 0) + utf8Length(JSON.stringify(said))
}
