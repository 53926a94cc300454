import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRuntime } from '../../src/index.ts'
import { OriginPolicy } from '../../src/transports/origin.ts'
import { TrustedProxies } from '../../src/transports/trusted-proxies.ts'

describe('X-Forwarded-For', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'])

  it.each([
    ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['::ffff:10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['::ffff:a00:1', '::FFFF:102:304', '1.2.3.4'],
    ['10.0.0.1', '9.9.9.9, 1.2.3.4, 192.0.2.1', '1.2.3.4'],
    ['10.0.0.1', ['9.9.9.9', '1.2.3.4 ,10.2.3.4'], '1.2.3.4'],
    ['2001:db8::1', '2001:4860::1', '2001:4860::1'],
    ['10.0.0.1', '1.2.3.4, nonsense', '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4, ', '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4:5678', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.2', '10.0.0.2'],
    ['', '1.2.3.4', ''],
  ])('from %s with %j comes from %s', (peer, forwarded, caller) => {
    expect(proxies.callerOf(peer, forwarded)).toBe(caller)
  })

  it('never says more than the outermost trusted proxy, whatever its client writes', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.ipV4().filter((address) => !address.startsWith('10.')),
        (written, real) => {
          if (real === '192.0.2.1') return
          expect(proxies.callerOf('10.0.0.1', `${written},${real}`)).toBe(real)
        },
      ),
    )
  })

  it('is believed of nobody unless it is said of whom', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.string(), (peer, header) => {
        expect(new TrustedProxies().callerOf(peer, header)).toBe(peer)
      }),
    )
  })
})

describe('options of the door that make no sense', () => {
  it.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example.org', '10.0.0.1/', '::1/129', '10.0.0.1/-1', '10.0.0.0/8/9'])(
    'are refused: the proxy %s',
    (proxy) => expect(() => createRuntime({ trustedProxies: [proxy] })).toThrow(RangeError),
  )

  it.each(['example.org', 'https://example.org/', 'https://*.example.org', '*', 'https://Example.org', 'null', ''])(
    'are refused: the origin %s',
    (origin) => expect(() => createRuntime({ origins: [origin] })).toThrow(RangeError),
  )

  it('say what may have been meant', () => {
    expect(() => new OriginPolicy(['https://example.org/app'])).toThrow('is https://example.org meant?')
  })
})
