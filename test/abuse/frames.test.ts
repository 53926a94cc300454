import { Buffer } from 'node:buffer'
import { describe, expect } from 'vitest'
import { close, cut, fragments, frame, opcodes, ping, text } from '../transports/raw/raw-frame.ts'
import { AbuseStage } from './abuse-stage.ts'

const mebibyte = 1024 * 1024
const { text: textOpcode, binary, continuation, ping: pingOpcode } = opcodes

/** Breaks a connection with some bytes, and says how it ended. */
async function breaking(stage: AbuseStage, ...bytes: readonly Uint8Array[]): Promise<number> {
  const attacker = await stage.enter()
  attacker.bytes.write(Buffer.concat(bytes))
  const { code } = await attacker.ending()
  return code
}

describe('frames', () => {
  const stage = new AbuseStage()

  stage.abuse('frame.malformed', async () => {
    const malformed = [
      frame({ opcode: textOpcode, mask: undefined, payload: '{}' }),
      frame({ opcode: textOpcode, rsv: 4, payload: '{}' }),
      frame({ opcode: textOpcode, rsv: 1, payload: '{}' }),
      frame({ opcode: 3 }),
      frame({ opcode: 15 }),
      frame({ opcode: pingOpcode, payload: 'x'.repeat(126) }),
      frame({ opcode: pingOpcode, fin: false }),
      frame({ opcode: continuation, payload: 'x' }),
      Buffer.concat([frame({ opcode: textOpcode, fin: false }), text('{}')]),
    ]
    for (const bytes of malformed) expect(await breaking(stage, bytes)).toBe(1002)
  })

  stage.abuse('frame.encoding', async () => {
    const bad = Buffer.from('eda080', 'hex')
    expect(await breaking(stage, text(bad))).toBe(1007)
    expect(await breaking(stage, close(1000, bad))).toBe(1007)
    expect(
      await breaking(stage, ...fragments(textOpcode, [Buffer.from('e2', 'hex'), Buffer.from('28a1', 'hex')])),
    ).toBe(1007)
    const attacker = await stage.enter()
    const echo = JSON.stringify({ type: 'echo', id: 1, data: '€😀' })
    attacker.bytes.write(Buffer.concat(fragments(textOpcode, cut(echo, 40))))
    expect(await attacker.heard('reply')).toMatchObject({ id: 1, data: '€😀' })
    await attacker.leave()
  })

  stage.abuse('frame.size', async () => {
    const before = await stage.server.memory()
    for (const length of [65_537, 2 ** 30, 2n ** 62n]) {
      expect(await breaking(stage, frame({ opcode: binary, length }))).toBe(1009)
    }
    const half = Buffer.alloc(40_000)
    expect(await breaking(stage, ...fragments(binary, [half, half]))).toBe(1009)
    expect((await stage.server.memory()) - before).toBeLessThan(64 * mebibyte)
  })

  stage.abuse('frame.endless', async () => {
    const attacker = await stage.enter()
    const piece = frame({ opcode: continuation, fin: false, payload: 'x' })
    attacker.bytes.write(frame({ opcode: textOpcode, fin: false, payload: 'x' }))
    for (let i = 0; i < 20; i++) attacker.bytes.write(Buffer.concat(Array.from({ length: 5 }, () => piece)))
    expect((await attacker.ending()).code).toBe(1008)
  })

  stage.abuse('frame.pings', async () => {
    const before = await stage.server.memory()
    const polite = await stage.enter()
    for (let i = 0; i < 20; i++) {
      polite.bytes.write(Buffer.concat(Array.from({ length: 10 }, () => ping('x'.repeat(125)))))
      await polite.bytes.until(() => polite.bytes.pongs.length >= 10 * (i + 1))
    }
    const deaf = await stage.enter()
    deaf.bytes.tcp.pause()
    const flood = Buffer.concat(Array.from({ length: 500 }, () => ping('x'.repeat(125))))
    for (let i = 0; i < 20; i++) await deaf.bytes.trickle(flood, (_, left) => left)
    expect((await stage.server.memory()) - before).toBeLessThan(64 * mebibyte)
    await polite.leave()
    const loud = await stage.enter()
    while (loud.bytes.closing === undefined && !loud.bytes.ended) {
      loud.bytes.write(Buffer.concat(Array.from({ length: 50 }, () => ping())))
      // A message is answered behind the pongs: who reads all of them is told why it has to go.
      loud.say({ type: 'ping' })
      const { length } = loud.bytes.frames
      await loud.bytes.until(
        () => loud.bytes.ended || loud.bytes.frames.length >= length + 51 || loud.bytes.closing !== undefined,
      )
    }
    expect((await loud.ending()).code).toBe(4229)
  })
})

describe('the end of a connection', () => {
  const stage = new AbuseStage({ heartbeatMs: 200, heartbeatTimeoutMs: 300 })

  stage.abuse('frame.closing', async () => {
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 65_535]) {
      expect(await breaking(stage, close(code))).toBe(1002)
    }
    for (const behind of [close(1001), close(5), text('{"type":"ping"}'), Buffer.alloc(10_000, 0xff)]) {
      // What a second close frame would be, or anything behind the first, the client itself takes for a fault.
      expect(await breaking(stage, close(1000, 'bye'), behind)).toBe(1000)
    }
  })

  stage.abuse('frame.cut', async () => {
    for (const way of ['reset', 'end'] as const) {
      const attacker = await stage.enter({ token: 'eve' })
      const { 'socket-lost': before = 0 } = await stage.server.ended()
      const begun = performance.now()
      if (way === 'reset') attacker.cut()
      else attacker.bytes.tcp.end()
      while (((await stage.server.ended())['socket-lost'] ?? 0) === before) continue
      expect(performance.now() - begun).toBeLessThan(1_000)
    }
  })

  stage.abuse('frame.trickle', async () => {
    const [within, between] = [await stage.enter(), await stage.enter({ answersPings: true })]
    // Nothing else can be said within a frame, not even that one is there.
    within.bytes.write(frame({ opcode: textOpcode, length: 60_000 }).subarray(0, -4))
    const trickling = (async () => {
      while (within.bytes.closing === undefined) {
        // A byte whenever the server says something, and its pings go unanswered.
        within.bytes.write('x')
        const { length } = within.bytes.frames
        await within.bytes.until(() => within.bytes.frames.length > length)
      }
    })()
    between.bytes.write(frame({ opcode: textOpcode, fin: false, payload: '"' }))
    for (let i = 0; i < 63; i++) {
      await between.bytes.trickle(frame({ opcode: continuation, fin: false, payload: 'x' }), (_, left) => left)
    }
    between.bytes.write(frame({ opcode: continuation, fin: false, payload: 'x' }))
    expect((await between.ending()).code).toBe(1008)
    await trickling
    expect((await within.ending()).code).toBe(4201)
  })

  stage.abuse('frame.halfOpen', async () => {
    const begun = performance.now()
    const attackers = await Promise.all(Array.from({ length: 20 }, () => stage.enter()))
    for (const attacker of attackers) expect((await attacker.ending()).code).toBe(4201)
    // The heartbeat and the answer; of the rest half a second is for who does not answer the close frame either.
    expect(performance.now() - begun).toBeLessThan(200 + 300 + 500 + 500)
  })
})
