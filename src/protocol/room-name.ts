import { protocolLimits } from './limits.ts'

// Control characters and surrogates that are not part of a pair.
const unfit = /[\p{Cc}\p{Cs}]/u

/** Whether a value may name a room: 1 to 255 bytes of UTF-8, no control characters, no lone surrogates. */
export function isRoomName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > protocolLimits.roomNameBytes) return false
  if (unfit.test(value)) return false
  return value.length * 3 <= protocolLimits.roomNameBytes || utf8Length(value) <= protocolLimits.roomNameBytes
}

/** The bytes that a well-formed text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}
