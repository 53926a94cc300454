/** An IPv4 address where that is what an IPv6 address stands for (RFC 4291 §2.5.5.2), however it is written. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address
  const groups = groupsOf(address)
  if (groups.length !== 8 || groups[5] !== 'ffff' || groups.slice(0, 5).some((group) => group !== '0')) return address
  const [high = 0, low = 0] = groups.slice(6).map((group) => parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Whom an address stands for: of IPv6 the first 64 bits, which one subscriber has to himself. */
export function subscriberOf(address: string): string {
  const plain = plainAddress(address)
  return plain.includes(':') ? `${groupsOf(plain).slice(0, 4).join(':')}::/64` : plain
}

/** The eight groups of an IPv6 address, without a zone, each in its shortest form. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = hexadecimal(address.replace(/%.*$/, '').toLowerCase()).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  )
}

/** The last two groups may stand there as an IPv4 address. */
function hexadecimal(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  )
}
