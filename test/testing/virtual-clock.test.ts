import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { VirtualClock, type TaskScheduler } from '../../src/testing/index.ts'

describe('VirtualClock', () => {
  it('calls at the exact time, through chains of delays, and stands at the end of what it was told', async () => {
    const clock = new VirtualClock(1_000)
    const called: number[] = []
    const link = (): void => {
      called.push(clock.now())
      if (called.length < 4) clock.setTimeout(link, 333.5)
    }
    clock.setTimeout(link, 333.5)
    await clock.advance(333)
    expect([called, clock.now()]).toEqual([[], 1_333])
    await clock.advance(1_500)
    expect([called, clock.now()]).toEqual([[1_333.5, 1_667, 2_000.5, 2_334], 2_833])
    expect(clock.pending).toBe(0)
  })

  it('calls at their time, and at the same time in the order in which they were set, whatever is cleared', async () => {
    const timers = fc.array(fc.record({ ms: fc.integer({ min: -1, max: 5 }), cleared: fc.boolean() }), {
      maxLength: 50,
    })
    await fc.assert(
      fc.asyncProperty(timers, async (timers) => {
        const clock = new VirtualClock(0)
        const called: (readonly [at: number, index: number])[] = []
        const handles = timers.map(({ ms }, index) => clock.setTimeout(() => called.push([clock.now(), index]), ms))
        for (const [index, { cleared }] of timers.entries()) if (cleared) clock.clearTimeout(handles[index])
        const left = timers.flatMap(({ ms, cleared }, index) => (cleared ? [] : [[Math.max(0, ms), index] as const]))
        expect(clock.pending).toBe(left.length)
        await clock.advance(5)
        expect(called).toEqual(left.toSorted(([a], [b]) => a - b))
        expect(clock.pending).toBe(0)
      }),
    )
  })

  it('lets a call clear another that is due at the same time', async () => {
    const clock = new VirtualClock()
    const called: string[] = []
    clock.setTimeout(() => {
      called.push('first')
      clock.clearTimeout(second)
      clock.clearTimeout(second)
      clock.clearTimeout(undefined)
    }, 1)
    const second = clock.setTimeout(() => called.push('second'), 1)
    await clock.advance(1)
    expect([called, clock.pending]).toEqual([['first'], 0])
  })

  it('never calls what is due at no time, and holds nothing for it', async () => {
    const clock = new VirtualClock()
    let called = 0
    const timer = clock.setTimeout(() => called++, Infinity)
    expect(clock.pending).toBe(0)
    await clock.advance(1e12)
    clock.clearTimeout(timer)
    expect([called, clock.pending]).toEqual([0, 0])
  })

  it('moves on until something is found, and no further', async () => {
    const clock = new VirtualClock(0)
    let found: string | undefined
    clock.setTimeout(() => {}, 3)
    clock.setTimeout(() => void Promise.resolve().then(() => (found = 'it')), 7)
    clock.setTimeout(() => (found = 'too far'), 8)
    expect(await clock.until(() => found, 100)).toBe('it')
    expect(clock.now()).toBe(7)
    expect(await clock.until(() => found === 'nothing', 10)).toBeUndefined()
    expect([clock.now(), found, clock.pending]).toEqual([17, 'too far', 0])
    expect(await clock.until(() => 'here already', 10)).toBe('here already')
    expect(clock.now()).toBe(17)
  })

  it('never goes back, though several wait beside one another', async () => {
    const clock = new VirtualClock(0)
    const seen: number[] = []
    const tick = (): void => {
      seen.push(clock.now())
      if (seen.length < 30) clock.setTimeout(tick, 7)
    }
    tick()
    await Promise.all([clock.advance(100), clock.advance(50), clock.until(() => seen.length > 12, 1_000)])
    expect(clock.now()).toBe(100)
    await clock.advance(200)
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => 7 * i))
  })

  it('settles promises and turns of any depth, without moving on', async () => {
    const clock = new VirtualClock(0)
    const done: string[] = []
    const deep = async (): Promise<void> => {
      for (let depth = 0; depth < 1_000; depth++) await Promise.resolve()
      done.push('promises')
      clock.setImmediate(() => {
        done.push('turn')
        clock.setImmediate(() => void Promise.resolve().then(() => done.push('turn of a turn')))
      })
      clock.setTimeout(() => done.push('timer'), 0)
    }
    void deep()
    expect(clock.pending).toBe(0)
    await clock.settle()
    expect(done).toEqual(['promises', 'turn', 'turn of a turn'])
    expect([clock.now(), clock.pending]).toEqual([0, 1])
    await clock.advance(0)
    expect(done.at(-1)).toBe('timer')
  })

  it('counts a turn that has not come as pending', async () => {
    const clock = new VirtualClock()
    clock.setImmediate(() => {})
    expect(clock.pending).toBe(1)
    await clock.settle()
    expect(clock.pending).toBe(0)
  })

  it('lets everything settle between two times', async () => {
    const clock = new VirtualClock(0)
    const order: string[] = []
    clock.setTimeout(() => {
      order.push('1')
      void Promise.resolve().then(() => order.push('after 1'))
      clock.setImmediate(() => order.push('turn of 1'))
    }, 1)
    clock.setTimeout(() => order.push('2'), 2)
    await clock.advance(2)
    expect(order).toEqual(['1', 'after 1', 'turn of 1', '2'])
  })

  it('does not slow down with the number of timers', async () => {
    // Each sets itself again once: 2 calls a timer.
    const costOf = async (count: number): Promise<number> => {
      const clock = new VirtualClock()
      let called = 0
      for (let i = 0; i < count; i++) {
        const ms = 1 + ((i * 7_919) % (count / 10))
        const call = (): void => {
          if (++called <= count) clock.setTimeout(call, ms)
        }
        clock.setTimeout(call, ms)
      }
      const start = process.cpuUsage()
      await clock.advance(count)
      const { user, system } = process.cpuUsage(start)
      expect([called, clock.pending]).toEqual([2 * count, 0])
      return user + system
    }
    // The processor's time and the best of some, as others want it as well.
    const [few, many] = [[] as number[], [] as number[]]
    for (let round = 0; round < 3; round++) {
      few.push(await costOf(10_000))
      many.push(await costOf(100_000))
    }
    // Searched in a list they would cost 100 times as much.
    expect(Math.min(...many) / Math.min(...few)).toBeLessThan(50)
  })
})

describe('a scheduler of VirtualClock', () => {
  it('decides in which order promises settle, and every order occurs', async () => {
    const orders = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const clock = new VirtualClock(undefined, scheduler)
        const order: string[] = []
        for (const name of ['a', 'b', 'c']) {
          const settled = name === 'c' ? Promise.reject(new Error('c')) : Promise.resolve()
          void clock.schedule(settled, name).then(
            () => order.push(name),
            () => order.push(`${name} fails`),
          )
        }
        await clock.settle()
        expect(order.toSorted()).toEqual(['a', 'b', 'c fails'])
        orders.add(order.join())
      }),
      { seed: 1, numRuns: 100 },
    )
    expect(orders.size).toBe(6)
  })

  it('settles what needs time when its time has come, and not before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const clock = new VirtualClock(0, scheduler)
        const settled: number[] = []
        for (const ms of [30, 10, 20]) {
          const passed = new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))
          void clock.schedule(passed).then(() => settled.push(clock.now()))
        }
        await clock.advance(15)
        expect(settled).toEqual([10])
        await clock.advance(15)
        expect(settled).toEqual([10, 20, 30])
      }),
      { numRuns: 10 },
    )
  })

  it('leaves a rejected promise nobody’s while it waits', async () => {
    const unhandled: unknown[] = []
    const listener = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', listener)
    onTestFinished(() => void process.off('unhandledRejection', listener))
    const waiting: (() => void)[] = []
    let lets = false
    const scheduler: TaskScheduler = {
      schedule: (task) => new Promise<void>((resolve) => waiting.push(resolve)).then(() => task),
      count: () => (lets ? waiting.length : 0),
      waitNext: async () => waiting.shift()?.(),
    }
    const clock = new VirtualClock(undefined, scheduler)
    const heard: unknown[] = []
    const scheduled = clock.schedule(Promise.reject(new Error('no')))
    for (let turn = 0; turn < 3; turn++) await clock.settle()
    expect([waiting.length, heard]).toEqual([1, []])
    scheduled.catch((error: unknown) => heard.push(error))
    lets = true
    await clock.settle()
    expect(heard).toEqual([new Error('no')])
    expect(unhandled).toEqual([])
  })

  it('is asked nothing where there is none', async () => {
    const clock = new VirtualClock()
    const task = Promise.resolve(1)
    expect(clock.schedule(task)).toBe(task)
    expect(await task).toBe(1)
  })
})
