import { expect, it, vi } from 'vitest'
import type { TransportSocket } from '../../src/runtime/ports/transport.ts'
import { Stage } from '../stage.ts'

/** A socket that never answers a close frame, and whose end comes when the test says so. */
function muteSocket(): TransportSocket & { readonly ends: string[] } {
  const ends: string[] = []
  return {
    ends,
    ready: true,
    bufferedBytes: 0,
    write: () => {},
    ping: () => {},
    pause: () => {},
    resume: () => {},
    close: (code) => void ends.push(`close ${code}`),
    terminate: () => void ends.push('terminate'),
  }
}

it('a connection that was cut off hears the end of its socket later, and nothing is logged', async () => {
  const warn = vi.spyOn(console, 'warn')
  const stage = new Stage()
  const socket = muteSocket()
  const request = { protocol: 'greenroom.v1', address: '', url: '/ws', headers: {} }
  const sink = stage.runtime.accept(socket, request)
  for (let id = 0; id < 17; id++) sink.message(`{"type":"ping","id":${id}}`)
  await stage.clock.advance(5_000)
  expect(socket.ends).toEqual(['close 4213', 'terminate'])
  expect(stage.runtime.census.connections).toBe(0)
  sink.message('{"type":"ping"}')
  sink.pong()
  sink.drained()
  sink.closed(1006)
  await stage.clock.settle()
  expect(warn).not.toHaveBeenCalled()
})
