import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBinary, encodeBinary } from '../../src/protocol/index.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, heard, replayed } from './cast.ts'
import { wellFormed } from './hostile-frames.ts'

const bytes = Uint8Array.from([0, 1, 127, 128, 255, 10])

async function sendBinary(stage: Stage, client: RawClient, frame: Uint8Array): Promise<void> {
  client.socket.send(frame)
  await stage.clock.settle()
}

const say = (fields: object = {}): Uint8Array =>
  encodeBinary(JSON.stringify({ type: 'message', room: 'main', ...fields }), bytes)

/** Puts binary frames by, and leaves the others to the client. */
function binaryFrames(client: RawClient): { header: Record<string, unknown>; bytes: Uint8Array }[] {
  const frames: { header: Record<string, unknown>; bytes: Uint8Array }[] = []
  const { onmessage } = client.socket
  client.socket.onmessage = (event) => {
    if (typeof event.data === 'string') return onmessage?.(event)
    const parts = decodeBinary(event.data as Uint8Array)
    if (parts === undefined) throw new Error('no binary frame of the protocol')
    frames.push({ header: JSON.parse(parts.header) as Record<string, unknown>, bytes: Uint8Array.from(parts.bytes) })
  }
  return frames
}

describe('a binary frame', () => {
  it('[BINARY-1] is the length of its header in four bytes, the header, and the bytes', () => {
    expect([...encodeBinary('"ä"', Uint8Array.of(7, 8))]).toEqual([0, 0, 0, 4, 0x22, 0xc3, 0xa4, 0x22, 7, 8])
    expect(decodeBinary(encodeBinary('\uFEFFx', bytes))?.header).toBe('\uFEFFx')
    fc.assert(
      fc.property(wellFormed, fc.uint8Array(), (header, content) => {
        const parts = decodeBinary(encodeBinary(header, content))
        expect(parts?.header).toBe(header)
        expect(Buffer.compare(parts?.bytes ?? Buffer.of(), content)).toBe(0)
      }),
    )
  })

  it('[BINARY-1] is taken apart without a throw, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (frame) => {
        const parts = decodeBinary(frame)
        if (parts !== undefined) expect(parts.bytes.length).toBeLessThanOrEqual(frame.length - 4)
      }),
    )
    // A part of a larger buffer, as sockets hand them on.
    const inside = new Uint8Array([9, 9, ...encodeBinary('{}', bytes)]).subarray(2)
    expect(decodeBinary(inside)).toEqual({ header: '{}', bytes })
  })

  it.each([
    { what: 'no header at all', frame: Uint8Array.of(0, 0, 0), code: 'bad-message' },
    { what: 'a header longer than itself', frame: Uint8Array.of(255, 255, 255, 255, 0x7b, 0x7d), code: 'bad-message' },
    { what: 'a header that is not UTF-8', frame: Uint8Array.of(0, 0, 0, 1, 0xff), code: 'bad-message' },
    { what: 'an empty header', frame: encodeBinary('', bytes), code: 'bad-json' },
    { what: 'a header that is not JSON', frame: encodeBinary('{', bytes), code: 'bad-json' },
    { what: 'a byte order mark', frame: encodeBinary('\uFEFF{"type":"ping"}', bytes), code: 'bad-json' },
    { what: 'a header that is no object', frame: encodeBinary('[]', bytes), code: 'bad-message' },
    {
      what: 'a header without a type',
      frame: encodeBinary('{"room":"main","id":1}', bytes),
      code: 'bad-message',
      id: 1,
    },
    { what: 'a type that is no text', frame: encodeBinary('{"type":1,"id":1}', bytes), code: 'bad-message', id: 1 },
    { what: 'a hello', frame: encodeBinary('{"type":"hello","id":1}', bytes), code: 'unknown-type', id: 1 },
    { what: 'a ping', frame: encodeBinary('{"type":"ping","id":1}', bytes), code: 'unknown-type', id: 1 },
    { what: 'no room', frame: encodeBinary('{"type":"message","id":1}', bytes), code: 'bad-room-name', id: 1 },
    { what: 'another room', frame: say({ room: 'other', id: 1 }), code: 'not-a-member', id: 1 },
  ])('[BINARY-2] with $what is answered $code, and the connection goes on', async ({ frame, code, id }) => {
    const stage = new Stage()
    const ada = await stage.member()
    await sendBinary(stage, ada, frame)
    expect(ada.of('error')).toMatchObject([{ code, ...(id === undefined ? {} : { id }) }])
    expect(await ask(stage, ada, { type: 'ping' })).toEqual([{ type: 'pong' }])
  })

  it('[BINARY-3] reaches the members untouched, in its place among the messages', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const bob = await stage.member()
    const frames = [ada, bob].map(binaryFrames)
    await ask(stage, ada, { type: 'message', room: 'main', data: 'before' })
    await sendBinary(stage, ada, say({ id: 'x', data: 'ignored', meta: { values: ['Date'] }, offset: 7 }))
    await ask(stage, bob, { type: 'message', room: 'main', data: 'after' })

    const { user, session } = ada.last('welcome')
    const { epoch } = ada.last('joined')
    const header = { type: 'message', room: 'main', epoch, offset: 2, at: stage.clock.now(), from: { user, session } }
    for (const received of frames) expect(received).toEqual([{ header, bytes }])
    expect(ada.last('ack')).toEqual({ type: 'ack', id: 'x', room: 'main', epoch, offset: 2 })
    for (const member of [ada, bob]) {
      expect(heard(member)).toEqual([
        [1, 'before'],
        [3, 'after'],
      ])
    }
  })

  it('[BINARY-3] that is sent again is recognised, and ends typing like any message', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const bob = await stage.member()
    const [own, others] = [ada, bob].map(binaryFrames)
    await ask(stage, ada, { type: 'typing', room: 'main', typing: true })
    await sendBinary(stage, ada, say({ id: 1 }))
    await sendBinary(stage, ada, say({ id: 1 }))
    expect(ada.of('ack')).toMatchObject([{ offset: 1 }, { offset: 1, duplicate: true }])
    expect([own?.length, others?.length]).toEqual([1, 1])
    expect(bob.of('typing')).toMatchObject([{ typing: true }, { typing: false }])
  })

  it('[BINARY-4] is replayed as base64 in place of data', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    binaryFrames(ada)
    await sendBinary(stage, ada, say())
    const { epoch } = ada.last('joined')
    const base64 = Buffer.from(bytes).toString('base64')
    const [page] = await ask(stage, ada, { type: 'history', room: 'main' })
    const [joined] = await ask(stage, await stage.connect(), {
      type: 'join',
      room: 'main',
      since: { epoch, offset: 0 },
    })
    for (const reply of [page, joined]) {
      const [message] = replayed(reply)
      expect(message).toMatchObject({ type: 'message', offset: 1, bytes: base64 })
      expect(message).not.toHaveProperty('data')
    }
  })

  it('[BINARY-4] is not imitated by a text frame with bytes', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const frames = binaryFrames(ada)
    const forged = { bytes: 'AAEC', data: 'text' }
    const [message] = await ask(stage, ada, { type: 'message', room: 'main', ...forged })
    expect(message).toMatchObject({ data: 'text' })
    expect(message).not.toHaveProperty('bytes')
    expect(await ask(stage, ada, { type: 'message', room: 'main', bytes: 'AAEC' })).toMatchObject([
      { code: 'bad-message' },
    ])
    expect(frames).toEqual([])
  })
})
