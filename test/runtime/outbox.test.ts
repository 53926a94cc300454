import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Frame } from '../../src/runtime/ports/frame.ts'
import { Flusher, Outbox, type OutboxOwner, type OutboxTerms } from '../../src/runtime/connection/outbox.ts'
import { Pressure } from '../../src/runtime/connection/pressure.ts'
import type { SparedRoom } from '../../src/runtime/connection/sparing.ts'
import type { TransportSocket } from '../../src/runtime/ports/transport.ts'
import { VirtualClock } from '../../src/testing/index.ts'

const highWaterBytes = 1_000

/** A socket that takes what it is given until it holds too much, and lets go of it when it is told. */
class FakeSocket implements TransportSocket {
  bufferedBytes = 0
  readonly written: Frame[] = []
  get ready(): boolean {
    return this.bufferedBytes < highWaterBytes
  }
  write(frames: readonly Frame[]): void {
    this.written.push(...frames)
    for (const { byteLength } of frames) this.bufferedBytes += byteLength
  }
  ping(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {}
  terminate(): void {}
}

/** Outboxes of a process in a row, each with its socket, and what their owners were told. */
function row(count: number, limits: { outbox?: number; process?: number } = {}) {
  const clock = new VirtualClock()
  const pressure = new Pressure(limits.process ?? 1_000_000)
  const terms: OutboxTerms = {
    flusher: new Flusher(clock),
    pressure,
    refusals: { note: () => {} },
    limitBytes: limits.outbox ?? 100_000,
    answersLimitBytes: 1_000_000,
  }
  const readers = Array.from({ length: count }, () => {
    const socket = new FakeSocket()
    const heard: string[] = []
    const owner: OutboxOwner = {
      congested: () => heard.push('congested'),
      decongested: () => heard.push('decongested'),
      overflowed: () => heard.push('overflowed'),
    }
    const outbox = new Outbox(socket, owner, terms)
    outbox.writable = true
    /** The other side reads all that there is. */
    const drain = (): void => {
      socket.bufferedBytes = 0
      outbox.drained()
    }
    /** The other side stops: its socket is full to the brim. */
    const stop = (): void => {
      outbox.push(new Frame('x'.repeat(highWaterBytes)))
      outbox.flush()
    }
    return { outbox, socket, heard, drain, stop }
  })
  return { pressure, readers }
}

const room: SparedRoom = { skipped: (offset, count) => new Frame(`skipped ${count} up to ${offset}`) }
const frame = (bytes: number): Frame => new Frame('y'.repeat(bytes))

describe('what all outboxes of a process hold', () => {
  it('[BOUND] counts a frame once, however many it waits for, and nothing for those who read', () => {
    const { pressure, readers } = row(4)
    const shared = frame(300)
    for (const { outbox } of readers) outbox.push(shared)
    expect(pressure.bytes).toBe(0)
    for (const { stop } of readers.slice(1)) stop()
    // What was queued before has gone to the socket with the rest.
    expect([pressure.slow, pressure.bytes]).toEqual([3, 3 * (highWaterBytes + 300)])
    for (const { outbox } of readers) outbox.push(shared)
    expect(pressure.bytes).toBe(3 * (highWaterBytes + 300) + 300)
    readers[1]?.drain()
    readers[2]?.outbox.close()
    expect([pressure.slow, pressure.bytes]).toEqual([1, highWaterBytes + 300 + 300])
    readers[3]?.outbox.discard()
    expect([pressure.slow, pressure.bytes, shared.waiting]).toEqual([0, 0, 0])
  })

  it('[BOUND] counts also what waits in the place of other messages', () => {
    const { pressure, readers } = row(2)
    for (const { stop } of readers) stop()
    const before = pressure.bytes
    const [first, second] = [frame(100), frame(200)]
    for (const { outbox } of readers) outbox.spare(room, first, 1, 'key')
    expect(pressure.bytes).toBe(before + 100)
    for (const { outbox } of readers) outbox.spare(room, second, 2, 'key')
    expect(pressure.bytes).toBe(before + 200)
    readers[0]?.outbox.settle(room)
    expect([pressure.bytes, readers[0]?.outbox.bytes]).toEqual([before + 200, highWaterBytes])
    readers[1]?.drain()
    readers[1]?.outbox.flush()
    expect(readers[1]?.socket.written.map(({ payload }) => payload).slice(1)).toEqual([
      'skipped 1 up to 2',
      second.payload,
    ])
    expect(pressure.bytes).toBe(highWaterBytes)
  })

  it('[BOUND] costs the slowest its place first, and only as many as it takes', () => {
    const { pressure, readers } = row(5, { process: 5 * highWaterBytes + 2_000 })
    for (const { stop } of readers) stop()
    for (const [i, { outbox }] of readers.entries()) outbox.push(frame(i * 200))
    expect(pressure.bytes).toBe(5 * highWaterBytes + 2_000)
    readers[0]?.outbox.push(frame(1))
    expect(readers.map(({ heard }) => heard)).toEqual([
      ...Array.from({ length: 4 }, () => ['congested']),
      ['congested', 'overflowed'],
    ])
    expect(readers.map(({ outbox }) => outbox.writable)).toEqual([true, true, true, true, false])
    expect([pressure.slow, pressure.bytes]).toEqual([4, 4 * highWaterBytes + 1_201])
    readers[4]?.outbox.push(frame(500))
    expect(pressure.bytes).toBe(4 * highWaterBytes + 1_201)
    readers[1]?.outbox.push(frame(1_600))
    readers[1]?.outbox.push(frame(1_600))
    expect(readers.map(({ heard }) => heard.length)).toEqual([1, 2, 1, 1, 2])
  })

  it('[BOUND] stays within its limit and comes to nothing, whatever is queued, read, spared, settled and ended', () => {
    const shared = fc.nat({ max: 5 })
    const step = fc.record({
      does: fc.constantFrom('push', 'push', 'push', 'spare', 'spare', 'drain', 'flush', 'answer', 'settle', 'end'),
      reader: fc.nat({ max: 3 }),
      shared,
      key: fc.constantFrom(undefined, 'a', 'b'),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(0, 3_000, 6_000, 1_000_000),
        fc.constantFrom(0, 1_500, 4_000),
        (steps, limit, outboxLimit) => {
          const { pressure, readers } = row(4, { process: limit, outbox: outboxLimit })
          const frames = [1, 50, 400, 999, 1_000, 70_000].map(frame)
          let offset = 0
          for (const { does, key, ...which } of steps) {
            const reader = readers[which.reader]
            const what = frames[which.shared]
            if (reader === undefined || what === undefined) continue
            if (does === 'push') reader.outbox.push(what)
            else if (does === 'answer') reader.outbox.answer(what)
            else if (does === 'spare') reader.outbox.spare(room, what, ++offset, key)
            else if (does === 'settle') reader.outbox.settle(room)
            else if (does === 'drain') reader.drain()
            else if (does === 'flush') reader.outbox.flush()
            else if (which.shared === 0) reader.outbox.close()
            expect(pressure.bytes).toBeGreaterThanOrEqual(0)
            expect(pressure.bytes).toBeLessThanOrEqual(limit)
          }
          for (const { outbox, drain } of readers.slice(0, 2)) {
            drain()
            outbox.flush()
            drain()
          }
          for (const { outbox } of readers) outbox.close()
          expect([pressure.bytes, pressure.slow]).toEqual([0, 0])
          expect(frames.map(({ waiting }) => waiting)).toEqual(frames.map(() => 0))
          // An owner is told once that it is over.
          for (const { heard } of readers) expect(heard.filter((word) => word === 'overflowed').length).toBeLessThan(2)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
