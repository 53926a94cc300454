import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SocketSink, TransportSocket } from '../../../src/runtime/ports/transport.ts'
import { createVirtualEnvironment, readTrace, recordTrace, TraceError, writeTrace } from 'greenroom/testing'

const header = '{"greenroom":"trace","version":1,"startedAt":0}'
const accept = '{"at":0,"type":"accept","connection":1,"protocol":"","address":"","url":"/"}'
const end = '{"at":9,"type":"end"}'

const silent: SocketSink = {
  message: () => {},
  binary: () => {},
  ping: () => {},
  pong: () => {},
  drained: () => {},
  closed: () => {},
}
const socket = { ready: true, bufferedBytes: 7 } as TransportSocket
const request = { protocol: 'greenroom.v1', address: '::1', url: '/ws?a=ä', headers: { cookie: 'secret' } }

describe('readTrace', () => {
  it('gives back whatever was written, to the byte', () => {
    const frame = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.uint8Array(),
      fc.constant('{"__proto__":1,"1":0}'),
    )
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.float({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (frames, randoms) => {
          const environment = createVirtualEnvironment()
          const left = [...randoms]
          const recorder = recordTrace({ environment: { ...environment, random: () => left.shift() ?? 0 } })
          const sink = recorder.around({ accept: () => silent }).accept(socket, request)
          for (const _ of randoms) recorder.environment.random()
          const id = recorder.environment.newId()
          for (const said of frames) {
            if (typeof said === 'string') sink.message(said)
            else sink.binary(said)
          }
          sink.drained()
          sink.closed(1006)
          const { events, ...trace } = readTrace(writeTrace(recorder))
          expect(trace).toEqual({
            startedAt: environment.clock.now(),
            durationMs: 0,
            fullness: [],
            ids: [id],
            randoms: randoms.map(Math.abs),
          })
          expect(
            events.map((event) =>
              event.type === 'text' ? event.text : event.type === 'binary' ? event.bytes : event.type,
            ),
          ).toEqual(['accept', ...frames, 'drained', 'closed'])
          expect(events[0]).toMatchObject({ protocol: 'greenroom.v1', address: '::1', url: '/ws?a=ä' })
          expect(JSON.stringify(events)).not.toContain('secret')
        },
      ),
    )
  })

  it.each([
    ['nothing', [], 1, 'it is missing'],
    ['no trace', ['{"log":1}', end], 1, '"greenroom" is not "trace"'],
    [
      'another version',
      ['{"greenroom":"trace","version":2,"startedAt":0}', end],
      1,
      'version 2 is not known here, only 1',
    ],
    ['no start', ['{"greenroom":"trace","version":1}', end], 1, '"startedAt" is not a number'],
    ['a line that is cut off', [header, accept, '{"at":1,"ty'], 3, 'it is not JSON'],
    ['an empty line', [header, '', end], 2, 'it is not JSON'],
    ['a line that is no object', [header, '[]', end], 2, 'it is no object'],
    ['a type that there is not', [header, '{"at":0,"type":"pang"}', end], 2, 'there is no type "pang"'],
    ['a type of every object', [header, '{"at":0,"type":"toString"}', end], 2, 'there is no type "toString"'],
    [
      'a field that there is not',
      [header, '{"at":0,"type":"id","value":"","note":1}', end],
      2,
      'id has no field "note"',
    ],
    ['a field that is missing', [header, '{"at":0,"type":"id"}', end], 2, '"value" must be a text, not undefined'],
    [
      'a time that is none',
      [header, '{"at":"0","type":"id","value":""}', end],
      2,
      '"at" must be a number ≥ 0, not "0"',
    ],
    [
      'a random number that cannot be',
      [header, '{"at":0,"type":"random","value":1}', end],
      2,
      'a number from 0 to 1, not 1',
    ],
    [
      'a text that says nothing',
      [header, accept, '{"at":0,"type":"text","connection":1}', end],
      3,
      'either "text" or "json"',
    ],
    [
      'bytes that are not base64',
      [header, accept, '{"at":0,"type":"binary","connection":1,"base64":"a"}', end],
      3,
      'must be base64',
    ],
    [
      'time that goes back',
      [header, '{"at":5,"type":"id","value":""}', '{"at":4,"type":"id","value":""}', end],
      3,
      'after 5 in the line before',
    ],
    [
      'somebody who never came',
      [header, accept, '{"at":0,"type":"pong","connection":2}', end],
      3,
      'connection 2 is not there',
    ],
    [
      'somebody who has gone',
      [
        header,
        accept,
        '{"at":0,"type":"closed","connection":1,"code":1000}',
        '{"at":0,"type":"pong","connection":1}',
        end,
      ],
      4,
      'connection 1 is not there',
    ],
    ['somebody who comes twice', [header, accept, accept, end], 3, 'the next connection is 2'],
    ['more after the end', [header, end, '{"at":9,"type":"id","value":""}'], 2, 'nothing may follow the end'],
    ['no end', [header, accept], 3, 'the last line of a trace is its "end"'],
  ])('refuses %s, and says where it is', (_, lines, line, what) => {
    const read = (): unknown => readTrace(lines.map((it) => `${it}\n`).join(''))
    expect(read).toThrow(TraceError)
    expect(read).toThrow(what)
    expect(read).toThrow(expect.objectContaining({ code: 'bad-trace', line }) as Error)
  })
})
