import { BlockList, isIP } from 'node:net'
import { plainAddress } from '../runtime/ports/address.ts'

/**
 * Proxies whose word on who is behind them is believed. Each adds the address that it was called from to the end of
 * `X-Forwarded-For`; what stands before that, anybody may have written.
 */
export class TrustedProxies {
  readonly #list = new BlockList()
  readonly #any: boolean

  /**
   * @param proxies - addresses, and networks such as `10.0.0.0/8`
   * @throws RangeError for what is neither
   */
  constructor(proxies: readonly string[] = []) {
    this.#any = proxies.length > 0
    for (const entry of proxies) {
      const [address = '', bits, ...more] = String(entry).split('/')
      const family = familyOf(address)
      const width = family === 'ipv4' ? 32 : 128
      const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN
      if (family === undefined || !(prefix <= width) || more.length > 0) {
        throw new RangeError(`'${entry}' is neither an address nor a network, such as 10.0.0.0/8`)
      }
      this.#list.addSubnet(address, prefix, family)
    }
  }

  /** Who called: the peer of the socket, or whom the outermost of the trusted proxies was called by. */
  callerOf(peer: string, forwarded: string | readonly string[] | undefined): string {
    let caller = plainAddress(peer)
    if (!this.#any || forwarded === undefined) return caller
    const named = [forwarded].flat().join(',').split(',')
    while (this.#trusts(caller)) {
      const next = plainAddress(named.pop()?.trim() ?? '')
      // What is no address says nothing; the last who was known is as far as it goes.
      if (isIP(next) === 0) break
      caller = next
    }
    return caller
  }

  #trusts(address: string): boolean {
    const family = familyOf(address)
    return family !== undefined && this.#list.check(address, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  return version === 0 ? undefined : version === 4 ? 'ipv4' : 'ipv6'
}
