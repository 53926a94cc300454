import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainAddress, subscriberOf } from '../../src/runtime/ports/address.ts'

describe('a subscriber', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:cb00:7109', '203.0.113.9'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['0000:0000:0000:0000:0000:ffff:0000:0001', '0.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:ffff:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('is told by its address: %s is %s', (address, subscriber) => {
    expect(subscriberOf(address)).toBe(subscriber)
  })

  it('is the same in whatever form an IPv4 address comes', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
        const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
        for (const form of [address, `::ffff:${address}`, `::ffff:${groups}`, `0:0:0:0:0:FFFF:${groups}`]) {
          expect(plainAddress(form)).toBe(address)
        }
      }),
    )
  })

  it('is one for all addresses of a network, and another in another', () => {
    const group = fc.nat(0xffff).map((value) => value.toString(16))
    fc.assert(
      fc.property(fc.array(group, { minLength: 12, maxLength: 12 }), (groups) => {
        const [network, one, other] = [groups.slice(0, 4), groups.slice(4, 8), groups.slice(8)]
        fc.pre(network.some((each) => each !== '0'))
        const [here, there] = [one, other].map((host) => [...network, ...host].join(':'))
        expect(subscriberOf(here ?? '')).toBe(subscriberOf(there ?? ''))
        expect(subscriberOf(here ?? '')).toBe(`${network.join(':')}::/64`)
      }),
    )
  })
})
