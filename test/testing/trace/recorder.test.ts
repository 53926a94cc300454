import { describe, expect, it } from 'vitest'
import { encodeBinary } from 'greenroom/protocol'
import { createVirtualEnvironment, readTrace, recordTrace, replayTrace, writeTrace } from 'greenroom/testing'
import { RecordedWorld } from './recorded-world.ts'

const records = (text: string): { type?: string; [field: string]: unknown }[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type?: string })

describe('recordTrace', () => {
  it('writes a line for each thing that came in, for a human to read', async () => {
    const world = new RecordedWorld()
    const ada = await world.member('phone')
    ada.socket.send(encodeBinary('{"type":"message","room":"main"}', Uint8Array.of(1, 2)))
    ada.send('{"type": "ping"}')
    await world.clock.advance(25_000)
    ada.socket.close(1000)
    await world.clock.settle()
    const ids = records(writeTrace(world.recorder)).filter(({ type }) => type === 'id')
    const shown = writeTrace(world.recorder)
      .split('\n')
      .filter((line) => !line.includes('"type":"id"'))
    expect(shown).toEqual([
      '{"greenroom":"trace","version":1,"startedAt":946684800000}',
      '{"at":0,"type":"accept","connection":1,"protocol":"","address":"phone","url":"/"}',
      '{"at":0,"type":"text","connection":1,"steps":1,"json":{"type":"join","room":"main"}}',
      '{"at":0,"type":"binary","connection":1,"steps":1,"base64":"AAAAIHsidHlwZSI6Im1lc3NhZ2UiLCJyb29tIjoibWFpbiJ9AQI="}',
      '{"at":0,"type":"text","connection":1,"joined":true,"text":"{\\"type\\": \\"ping\\"}"}',
      '{"at":25000,"type":"pong","connection":1,"steps":2}',
      '{"at":25000,"type":"closed","connection":1,"code":1000}',
      '{"at":25000,"type":"end"}',
      '',
    ])
    // The runtime, a guest, its session and its secret, and the room's log.
    expect(ids.map(({ value }) => String(value).length)).toEqual([22, 22, 22, 22, 22])
    await world.close()
  })

  it('puts the same pseudonym in the place of the same token, wherever it is', async () => {
    const authenticate = ({ token = '' }) => ({ id: token })
    const world = new RecordedWorld({ redact: true, options: () => ({ authenticate }) })
    const ada = await world.connect('phone', { token: 'secret-of-ada' })
    const bob = await world.connect('tablet', { protocol: 'greenroom.v1' })
    bob.send('{"type":"hello","token":"secret-of-bob"}')
    ada.send({ type: 'auth', token: 'secret-of-ada' })
    ada.send({ type: 'join', room: 'main', token: 'public' })
    bob.send('{"type":"auth","\\u0074oken":"secret-of-ada"}')
    bob.send('{"type":"hello","token":"secret-of-b\\"ob"')
    bob.send('{"type":"auth","token" : "secret-of-bob"')
    await world.clock.advance(0)
    const text = writeTrace(world.recorder)
    expect(text).not.toContain('secret-of')
    expect(text).toContain('public')
    expect(text.match(/token-\d/g)).toEqual(['token-1', 'token-2', 'token-1', 'token-1', 'token-3', 'token-2'])
    const { connections } = await replayTrace(readTrace(text), { options: { authenticate } })
    expect(connections.map(({ messages }) => messages[0]?.['user'])).toEqual(['token-1', 'token-2'])
    await world.close()
  })

  it('leaves tokens, or what is made of them, where it is told to', async () => {
    const shown = async (redact: boolean | ((token: string) => string)): Promise<unknown> => {
      const world = new RecordedWorld({
        redact,
        options: () => ({ authenticate: ({ token = '' }) => ({ id: token }) }),
      })
      await world.connect('phone', { token: 'ada' })
      const text = writeTrace(world.recorder)
      await world.close()
      return records(text).find(({ type }) => type === 'accept')?.['token']
    }
    expect(await shown(false)).toBe('ada')
    expect(await shown((token) => token.toUpperCase())).toBe('ADA')
  })

  it('stops when the trace has become too large, and says so; the runtime goes on', async () => {
    const world = new RecordedWorld({ maxBytes: 1_000 })
    const ada = await world.member('phone')
    const say = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) ada.send({ type: 'message', room: 'main', data: i })
      await world.clock.advance(10)
    }
    await say(1)
    expect(world.recorder.stopped).toBeUndefined()
    await say(20)
    expect(world.recorder.stopped).toBe('max-bytes')
    expect(world.recorder.bytes).toBeLessThanOrEqual(1_000)
    await say(5)
    expect(ada.of('message')).toHaveLength(26)
    const text = writeTrace(world.recorder)
    expect(text).toMatch(/\n\{"at":10,"type":"end","stopped":"max-bytes"\}\n$/)
    const { stopped, connections } = await replayTrace(readTrace(text))
    expect(stopped).toBe('max-bytes')
    const replayed = connections[0]?.messages ?? []
    expect(replayed.length).toBeGreaterThan(3)
    expect(replayed).toEqual(ada.received.slice(0, replayed.length))
    await world.close()
  })

  it('is of one runtime', () => {
    const recorder = recordTrace({ environment: createVirtualEnvironment() })
    const acceptor = { accept: (): never => expect.fail() }
    recorder.around(acceptor)
    expect(() => recorder.around(acceptor)).toThrow('A trace is of one runtime')
  })

  it('does not take for a bound what is none', () => {
    expect(() => recordTrace({ maxBytes: NaN })).toThrow(RangeError)
  })

  it('counts on when somebody sets the clock back', async () => {
    const world = new RecordedWorld()
    const process = world.network.device('server').process
    const recorder = recordTrace({ environment: process.environment })
    await world.clock.advance(100)
    recorder.environment.random()
    process.setClock(-50)
    recorder.environment.random()
    expect(readTrace(writeTrace(recorder)).durationMs).toBe(100)
    await world.close()
  })
})
