import { expect, it } from 'vitest'
import { write, type Scene } from './scene.ts'

/** What every transport must do when it is told not to read. */
export function describePausing(scene: Scene): void {
  it('reads no more while it is paused, writes all the same, and then reads everything in order', async () => {
    await scene(async (near, far, sink, { until }) => {
      far.send('before')
      await until(() => sink.messages.length === 1)
      near.pause()
      near.pause()
      const texts = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(i % 10 === 0 ? 50_000 : 10))
      for (const text of texts) far.send(text)
      far.send(new Uint8Array([1]))
      for (let trip = 1; trip <= 20; trip++) {
        write(near, `${trip}`)
        await until(() => far.received.length === trip)
      }
      expect([sink.messages.length, sink.binaries.length]).toEqual([1, 0])
      near.resume()
      await until(() => sink.binaries.length === 1)
      expect(sink.messages).toEqual(['before', ...texts])
      near.resume()
      far.send('after')
      await until(() => sink.messages.length === 202)
    })
  })

  it('may be paused and resumed at every message, and loses none', async () => {
    await scene(async (near, far, sink, { until }) => {
      const heard = sink.message.bind(sink)
      sink.message = (text) => {
        heard(text)
        near.pause()
      }
      far.send('0')
      await until(() => sink.messages.length === 1)
      for (let i = 1; i < 50; i++) far.send(`${i}`.padEnd(5_000))
      while (sink.messages.length < 50) {
        near.resume()
        await until(() => true)
      }
      expect(sink.messages.map(Number)).toEqual(Array.from({ length: 50 }, (_, i) => i))
      near.resume()
    })
  })

  it('[CLOSED] hears of a close, and of what was sent before it, when it reads again', async () => {
    await scene(async (near, far, sink, { until }) => {
      near.pause()
      far.send('last words')
      far.close(1000)
      write(near, 'still here')
      await until(() => far.received.length === 1)
      expect([sink.messages, sink.closes]).toEqual([[], []])
      near.resume()
      await until(() => sink.closes.length > 0 && far.closed.length > 0)
      expect([sink.messages, sink.closes]).toEqual([['last words'], [1000]])
      near.pause()
      near.resume()
    })
  })

  it('[CLOSED] ends all the same while it is paused: once, by whichever side', async () => {
    await scene(async (near, far, sink, { until }) => {
      near.pause()
      far.send('unheard')
      near.terminate()
      await until(() => sink.closes.length > 0 && far.closed.length > 0)
      near.resume()
      expect(sink.closes).toEqual([1006])
    })
    await scene(async (near, far, sink, { until }) => {
      near.pause()
      near.close(4003, 'forbidden')
      near.resume()
      await until(() => sink.closes.length > 0 && far.closed.length > 0)
      expect([sink.closes.length, far.closed]).toEqual([1, [{ code: 4003, reason: 'forbidden' }]])
    })
    await scene(async (near, far, sink, { until }) => {
      near.pause()
      far.cut()
      near.resume()
      await until(() => sink.closes.length > 0)
      near.pause()
      near.resume()
      expect(sink.closes).toEqual([1006])
    })
  })
}
