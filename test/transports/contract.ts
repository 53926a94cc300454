import { describe, expect, it } from 'vitest'
import { Frame } from '../../src/runtime/ports/frame.ts'
import { describePausing } from './pausing.ts'
import { frameBytes, sceneOn, write, type SetUp } from './scene.ts'

/** What every transport must do, whatever it stands on. */
export function describeTransport(name: string, setUp: SetUp): void {
  const scene = sceneOn(setUp)
  describe(`${name} transport`, () => describePausing(scene))

  describe(`${name} transport`, () => {
    it('tells how a socket came in', async () => {
      const { request } = await scene(async () => {}, { protocol: 'greenroom.v1', token: 'secret' })
      expect(request).toMatchObject({ protocol: 'greenroom.v1', token: 'secret' })
      expect(request?.url).not.toContain('secret')
      expect(request?.address).not.toBe('')
    })

    it('carries text of every length both ways, in order', async () => {
      const texts = ['', 'a', 'é€😀', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(60_000)]
      await scene(async (near, far, sink, { until }) => {
        for (const text of texts) far.send(text)
        await until(() => sink.messages.length === texts.length)
        expect(sink.messages).toEqual(texts)
        const large = [...texts, 'w'.repeat(65_535), 'v'.repeat(65_536), 'ü'.repeat(100_000)]
        write(near, ...large)
        write(near, 'last')
        await until(() => far.received.length === large.length + 1)
        expect(far.received).toEqual([...large, 'last'])
      })
    })

    it('writes the same frames to many sockets unharmed', async () => {
      await scene(async (near, far, _sink, { until }) => {
        const shared = [new Frame('one'), new Frame('zwei')]
        near.write(shared)
        near.write([...shared])
        near.write([...shared, new Frame('three')])
        await until(() => far.received.length === 7)
        expect(far.received).toEqual(['one', 'zwei', 'one', 'zwei', 'one', 'zwei', 'three'])
      })
    })

    it('hands on binary frames', async () => {
      await scene(async (_near, far, sink, { until }) => {
        far.send(new Uint8Array([1, 2, 3]))
        await until(() => sink.binaries.length === 1)
        expect([...(sink.binaries[0] ?? [])]).toEqual([1, 2, 3])
      })
    })

    it('hears the answer to a ping', async () => {
      await scene(async (near, _far, sink, { until }) => {
        near.ping()
        await until(() => sink.pongs === 1)
      })
    })

    it('[CLOSED] shakes hands when the server closes, and says so once', async () => {
      await scene(async (near, far, sink, { until }) => {
        write(near, 'before')
        near.close(4208, 'slow-consumer')
        near.close(1000, 'again')
        write(near, 'after')
        await until(() => sink.closes.length > 0 && far.closed.length > 0)
        expect(far.received).toEqual(['before'])
        expect(far.closed).toEqual([{ code: 4208, reason: 'slow-consumer' }])
        expect(sink.closes).toHaveLength(1)
      })
    })

    it('[CLOSED] shakes hands when the client closes, and says so once', async () => {
      await scene(async (near, far, sink, { until }) => {
        far.close(1000)
        await until(() => sink.closes.length > 0 && far.closed.length > 0)
        near.terminate()
        near.close(1000, '')
        expect(sink.closes).toEqual([1000])
      })
    })

    it('[CLOSED] says 1006 once when the network goes', async () => {
      await scene(async (near, far, sink, { until }) => {
        far.cut()
        await until(() => sink.closes.length > 0)
        near.ping()
        write(near, 'into the void')
        expect(sink.closes).toEqual([1006])
        expect(near.ready).toBe(false)
      })
    })

    it('ends a socket without a word when told to', async () => {
      await scene(async (near, far, sink, { until }) => {
        near.terminate()
        await until(() => sink.closes.length > 0 && far.closed.length > 0)
        expect(sink.closes).toEqual([1006])
        expect(far.closed).toMatchObject([{ code: 1006 }])
      })
    })

    it('refuses a frame over the limit with 1009', async () => {
      await scene(async (_near, far, sink, { until }) => {
        far.send('x'.repeat(frameBytes + 1))
        await until(() => sink.closes.length > 0 && far.closed.length > 0)
        expect(sink.closes).toEqual([1009])
        expect(far.closed).toMatchObject([{ code: 1009 }])
        expect(sink.messages).toEqual([])
      })
    })

    it('tells when the socket takes no more, and when it does again', async () => {
      await scene(async (near, far, sink, { until }) => {
        far.pause()
        const chunk = 'x'.repeat(60_000)
        let sent = 0
        // The kernel's buffers come first; how large they are is its own affair.
        while (near.ready) {
          write(near, chunk)
          sent++
          await until(() => true)
        }
        expect(near.bufferedBytes).toBeGreaterThan(0)
        expect(sink.drains).toBe(0)
        far.resume()
        await until(() => far.received.length === sent && sink.drains > 0)
        expect(near.ready).toBe(true)
        expect(near.bufferedBytes).toBe(0)
      })
    })
  })
}
