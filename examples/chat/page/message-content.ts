import { cleanName } from './names.ts'

/** What this page sends as a message's data. */
export interface MessageContent {
  readonly text: string
  /** What the sender was called then: presence knows names only of those who are here. */
  readonly name?: string | undefined
  /** Chosen by the sender; it tells the sender's page which message came back, and that a repeated one is the same. */
  readonly key?: string | undefined
}

/** Reads a message's data, which need not come from this page: with wscat one sends what one likes. */
export function readContent(data: unknown): MessageContent {
  if (typeof data === 'string') return { text: data }
  if (data instanceof Uint8Array) return { text: `(${data.byteLength} bytes)` }
  if (typeof data !== 'object' || data === null) return { text: String(data) }
  const { text, name, key } = data as Partial<Record<keyof MessageContent, unknown>>
  if (typeof text !== 'string') return { text: asJson(data) }
  return { text, name: cleanName(name), key: typeof key === 'string' ? key : undefined }
}

function asJson(data: object): string {
  try {
    return JSON.stringify(data)
  } catch {
    return '(data that cannot be shown as text)'
  }
}
