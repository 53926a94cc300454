/** An id of 96 random bits in letters and digits. Unlike `crypto.randomUUID` it works on plain http, too. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
