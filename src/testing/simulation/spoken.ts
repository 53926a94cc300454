import type { Json } from '../../protocol/index.ts'

/**
 * What visitors say: a number that nobody else says in a run, and perhaps much beside it. As bytes it is the same thing in
 * UTF-8, so that whoever looks on need not care how it was sent.
 */
export interface Spoken {
  readonly n: number
  readonly padding?: string
}

/** What is said, in short: the number, or whatever stands in its place. */
export function gist(said: unknown): string {
  const { n } = (said ?? {}) as Partial<Spoken>
  return typeof n === 'number' ? `#${n}` : (JSON.stringify(said) ?? 'nothing')
}

/** As the content of a binary frame. */
export function asBytes(spoken: Spoken): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(spoken))
}

/** What the bytes of a message say. */
export function spokenInBytes(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Json
  } catch {
    return undefined
  }
}

/** What a binary frame says, behind its header. */
export function spokenIn(frame: Uint8Array): Json | undefined {
  if (frame.byteLength < 4) return undefined
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0)
  return spokenInBytes(frame.subarray(4 + length))
}

/** What bytes say that stand in JSON. */
export function spokenInBase64(text: string): Json | undefined {
  return spokenInBytes(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
}
