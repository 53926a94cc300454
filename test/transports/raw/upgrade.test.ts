import { Buffer } from 'node:buffer'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import { describe, expect, it } from 'vitest'
import { ByteStage, faultOf } from './byte-stage.ts'
import { close, ping, text } from './raw-frame.ts'
import { acceptOfKey, upgradeRequest, type RawRequest } from './raw-request.ts'
import { echo } from './sayings.ts'

const v1 = 'greenroom.v1'
const { payload, data } = echo('hello')
const manyHeaders = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i.toString(36)}`, '']))

const taken: readonly (readonly [name: string, request: RawRequest])[] = [
  ['nothing unusual', {}],
  ['names in other letters', { headers: { upgrade: 'WebSocket', connection: 'UPGRADE' } }],
  ['a list of connection options', { headers: { connection: 'keep-alive, Upgrade' } }],
  ['connection options in two lines', { headers: { connection: ['keep-alive', 'upgrade'] } }],
  ['a query', { target: '/ws?lang=en&x=/ws/%00' }],
  ['a query of two questions', { target: '/ws?a=b?c' }],
  ['a whole URL for its target', { target: 'http://127.0.0.1/ws' }],
  ['a whole URL with a port and a query', { target: 'HTTPS://example.org:80/ws?a' }],
  ['an extension that is not taken up', { headers: { 'sec-websocket-extensions': 'permessage-deflate' } }],
  ['extensions that make no sense', { headers: { 'sec-websocket-extensions': ',;=' } }],
  ['1500 headers', { headers: manyHeaders(1_500) }],
  ['a header of 15 KB', { headers: { cookie: 'x'.repeat(15_000) } }],
]

describe('an upgrade request', () => {
  const stage = new ByteStage()

  it.each(taken)('[UPGRADE-1] [UPGRADE-4] is answered 101, and by no extension, when it has %s', async (_, request) => {
    const client = await stage.enter(request)
    expect(client.response).toEqual({
      status: 101,
      headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': acceptOfKey },
    })
    client.write(text(payload))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
  })

  it.each([
    [v1, v1],
    [`other, ${v1}, another`, v1],
    [`a,\t${v1} ,b`, v1],
    [['other', v1], v1],
    ['greenroom.v2', undefined],
    [v1.toUpperCase(), undefined],
    [undefined, undefined],
  ])('[UPGRADE-2] that offers %j is answered with %s', async (offered, chosen) => {
    const client = await stage.connect()
    client.write(upgradeRequest({ headers: { 'sec-websocket-protocol': offered } }))
    const { status, headers } = await client.answered()
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, chosen])
  })

  it('is taken byte by byte', async () => {
    const client = await stage.connect()
    await client.trickle(upgradeRequest(), () => 1)
    await client.until(() => client.messages.length === 1)
    expect(client.messages[0]).toMatchObject({ type: 'welcome' })
  })

  it('is taken behind a request that is none', async () => {
    const client = await stage.connect()
    client.write('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n')
    expect((await client.answered()).status).toBe(426)
    client.response = undefined
    client.write(upgradeRequest())
    expect((await client.answered()).status).toBe(101)
  })

  it('may have frames right behind it, of which none is lost', async () => {
    const client = await stage.connect()
    const frames = [text(payload), ping('p'), text(echo('next', 2).payload), close(1000)]
    client.write(Buffer.concat([Buffer.from(upgradeRequest()), ...frames.slice(0, 3)]))
    await client.until(() => client.messages.length === 3 && client.pongs.length === 1)
    expect(client.messages.map((message) => message['data'])).toEqual([undefined, data, 'next'])
  })

  it('may have frames right behind it wherever the bytes are cut', async () => {
    const bytes = Buffer.concat([Buffer.from(upgradeRequest()), text(payload)])
    const end = bytes.length - text(payload).length
    for (let at = end - 5; at < bytes.length; at += 3) {
      const client = await stage.connect()
      await client.trickle(bytes, (offset, left) => (offset === 0 ? at : left))
      await client.until(() => client.messages.length === 2)
      expect(client.messages[1]).toMatchObject({ type: 'reply', data })
    }
  })

  it.each([
    ['a close', close(1000), 1000],
    ['a fault', text(Buffer.of(0xff)), faultOf(1007).code],
  ])('[CLOSED] [ISOLATE] may have %s right behind it', async (_name, bytes, code) => {
    const client = await stage.connect()
    client.write(Buffer.concat([Buffer.from(upgradeRequest()), bytes]))
    await client.until(() => client.ended)
    expect([client.response?.status, client.closing?.code]).toEqual([101, code])
  })

  it('[CLOSED] [ISOLATE] leaves nothing behind when its client is gone at once, by an end or a reset', async () => {
    for (let i = 0; i < 20; i++) {
      const client = await stage.connect()
      client.write(upgradeRequest().slice(0, i % 2 === 0 ? undefined : -2))
      if (i % 4 < 2) client.tcp.end()
      else client.tcp.resetAndDestroy()
      await client.until(() => client.ended)
    }
    // By the time somebody else has been welcomed, all that came before has been read.
    await stage.enter()
  })
})

describe('an upgrade request that does not end', () => {
  const stage = new ByteStage({ heartbeatMs: 20 })

  /** The HTTP server that the runtime listens with, which it keeps to itself. */
  async function ownServer(): Promise<Server> {
    const found: Server[] = []
    const onRequest = (message: unknown): void => void found.push((message as { server: Server }).server)
    subscribe('http.server.request.start', onRequest)
    const client = await stage.connect()
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.answered()
    unsubscribe('http.server.request.start', onRequest)
    return found[0] as Server
  }

  it('[CLOSED] [ISOLATE] is ended at a deadline, also while it trickles in; so is silence', async () => {
    const server = await ownServer()
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 10_000])
    // Ten seconds are long for a test. The server looks once a second whether somebody's time is up.
    server.headersTimeout = 50
    const silent = await stage.connect()
    const slow = await stage.connect()
    const metronome = await stage.enter({ answersPings: true })
    slow.write('GET /ws HTTP/1.1\r\nHost: ')
    while (!slow.ended) {
      slow.write('x')
      const { length } = metronome.frames
      await metronome.until(() => metronome.frames.length > length)
    }
    await silent.until(() => silent.ended)
    expect([silent.response?.status, slow.response?.status]).toEqual([408, 408])
  })
})
