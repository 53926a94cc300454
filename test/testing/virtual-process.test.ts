import { describe, expect, it } from 'vitest'
import { createVirtualEnvironment, SeededRandom, VirtualClock, VirtualProcess } from '../../src/testing/index.ts'

/** A process, and what it has done. */
function start(seed = 1) {
  const clock = new VirtualClock(0)
  const process = new VirtualProcess(clock, new SeededRandom(seed))
  const done: string[] = []
  const own = process.environment.clock
  const after = (ms: number, what: string): unknown => own.setTimeout(() => done.push(`${what} at ${own.now()}`), ms)
  return { clock, process, own, done, after }
}

describe('VirtualProcess', () => {
  it('does what it does in its time', async () => {
    const { clock, process, own, done, after } = start()
    after(20, 'b')
    after(10, 'a')
    own.clearTimeout(after(15, 'nothing'))
    own.clearTimeout(undefined)
    own.setImmediate(() => done.push('turn'))
    process.run(() => done.push('now'))
    expect([done, process.pending, process.isAlive]).toEqual([['now'], 2, true])
    await clock.advance(20)
    expect(done).toEqual(['now', 'turn', 'a at 10', 'b at 20'])
    expect([process.pending, clock.pending]).toEqual([0, 0])
  })

  it('counts no delay that never comes', async () => {
    const { clock, process, own, done, after } = start()
    const timer = after(Infinity, 'never')
    expect([process.pending, clock.pending]).toEqual([0, 0])
    own.clearTimeout(timer)
    await clock.advance(1e9)
    expect(done).toEqual([])
  })

  it('does nothing while it is stopped, and then all that has come due, in order', async () => {
    const { clock, process, own, done, after } = start()
    after(30, 'late')
    after(20, 'second')
    after(10, 'first')
    own.setImmediate(() => done.push('turn'))
    process.stop()
    process.stop()
    process.run(() => done.push('asked'))
    await clock.advance(25)
    expect([done, process.isAlive]).toEqual([[], true])
    process.continue()
    expect(done).toEqual(['asked', 'turn', 'first at 25', 'second at 25'])
    process.continue()
    await clock.advance(5)
    expect(done.slice(4)).toEqual(['late at 30'])
  })

  it('does not call when it goes on what was cleared meanwhile', async () => {
    const { clock, process, own, done, after } = start()
    own.setTimeout(() => own.clearTimeout(due), 5)
    const due = after(10, 'cleared by itself')
    const other = after(10, 'cleared from outside')
    process.stop()
    await clock.advance(20)
    own.clearTimeout(other)
    process.continue()
    expect([done, process.pending]).toEqual([[], 0])
  })

  it('keeps the rest for later when it is stopped while it catches up', async () => {
    const { clock, process, own, done, after } = start()
    own.setTimeout(() => process.stop(), 1)
    after(2, 'a')
    after(3, 'b')
    process.stop()
    await clock.advance(5)
    process.continue()
    process.run(() => done.push('last'))
    expect(done).toEqual([])
    process.continue()
    expect(done).toEqual(['a at 5', 'b at 5', 'last'])
  })

  it('does nothing any more once it is killed, and leaves no timer', async () => {
    const { clock, process, own, done, after } = start()
    const told: boolean[] = []
    process.atKill(() => told.push(process.isAlive))
    after(10, 'timer')
    own.setImmediate(() => done.push('turn'))
    process.stop()
    process.run(() => done.push('waiting'))
    process.kill()
    process.kill()
    expect([told, process.pending]).toEqual([[false], 0])
    process.continue()
    process.run(() => done.push('afterwards'))
    own.clearTimeout(after(1, 'set afterwards'))
    own.setImmediate(() => done.push('turn afterwards'))
    after(1, 'set afterwards')
    await clock.advance(100)
    expect([done, clock.pending, process.isAlive]).toEqual([[], 0, false])
  })

  it('has a clock that can be set, and delays that take as long as they would have', async () => {
    const { clock, process, own, done, after } = start()
    await clock.advance(1_000)
    after(100, 'a')
    process.setClock(-5_000)
    expect(own.now()).toBe(-4_000)
    after(100, 'b')
    await clock.advance(99)
    expect(done).toEqual([])
    process.setClock(6_000)
    await clock.advance(1)
    expect(done).toEqual(['a at 2100', 'b at 2100'])
    expect(clock.now()).toBe(1_100)
  })

  it('takes randomness and ids from its seed', () => {
    const draw = (seed: number): unknown[] => {
      const { random, newId } = start(seed).process.environment
      return [random(), newId(), random(), newId()]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    const [number, id, , other] = draw(7)
    expect(number).toBeGreaterThanOrEqual(0)
    expect(number).toBeLessThan(1)
    expect(id).toMatch(/^[\w-]{22}$/)
    expect(other).not.toBe(id)
  })
})

describe('createVirtualEnvironment', () => {
  it('is the same for the same seed, and another for another', () => {
    const draw = (seed?: number): unknown[] => {
      const { clock, random, newId } = createVirtualEnvironment(seed)
      return [clock.now(), random(), newId(), random(), newId()]
    }
    expect(draw()).toEqual(draw(1))
    expect(draw(2)).toEqual(draw(2))
    expect(draw(2)).not.toEqual(draw(1))
  })
})

describe('SeededRandom', () => {
  it('gives every number of a range, and none beyond it', () => {
    const random = new SeededRandom(3)
    const drawn = new Set(Array.from({ length: 200 }, () => random.between(-1, 2)))
    expect([...drawn].toSorted((a, b) => a - b)).toEqual([-1, 0, 1, 2])
    expect(random.chance(0)).toBe(false)
    expect(random.chance(1)).toBe(true)
  })

  it('is as likely as it says', () => {
    const random = new SeededRandom(5)
    const happened = Array.from({ length: 10_000 }, () => random.chance(0.3)).filter(Boolean).length
    expect(happened).toBeGreaterThan(2_800)
    expect(happened).toBeLessThan(3_200)
  })

  it('is not disturbed by what a fork of it is asked', () => {
    const [a, b] = [new SeededRandom(9), new SeededRandom(9)]
    const fork = a.fork()
    b.fork()
    const forked = [fork.next(), fork.next()]
    expect([a.next(), a.next()]).toEqual([b.next(), b.next()])
    expect(forked).not.toEqual([a.next(), a.next()])
  })
})
