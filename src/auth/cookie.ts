/** The value of a cookie in a `Cookie` header (RFC 6265 §4.2.1), as it stands there; of several, the first. */
export function cookieOf(header: string | readonly string[] | undefined, name: string): string | undefined {
  for (const pair of [header ?? []].flat().join(';').split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}
