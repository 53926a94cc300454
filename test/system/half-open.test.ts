import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createRuntime, type TelemetryEvent } from 'greenroom'
import { createClient } from 'greenroom/client'
import { tcpProxy } from './tcp-proxy.ts'

describe('a connection that is half-open', () => {
  // Socket.IO: two sockets of the client stand in the room, it is not recovered, and what was said meanwhile is lost.
  it('[FENCE] [GAPLESS] [PRESENCE] gives way to the client’s next one: no ghost, nothing lost, nothing shown', async () => {
    const closed: TelemetryEvent[] = []
    const runtime = createRuntime({
      authenticate: ({ token = '' }) => ({ id: token }),
      heartbeatTimeoutMs: 200,
      closeTimeoutMs: 100,
      telemetry: (event) => {
        if (event.type === 'connection.closed') closed.push(event)
      },
    })
    onTestFinished(() => runtime.close())
    const port = await runtime.listen(0, { host: '127.0.0.1' })
    const proxy = await tcpProxy(port)
    const ada = createClient(`ws://127.0.0.1:${proxy.port}/ws`, { token: 'ada', WebSocket, backoffMs: 10 })
    const bob = createClient(`ws://127.0.0.1:${port}/ws`, { token: 'bob', WebSocket })
    onTestFinished(() => [ada, bob].forEach((client) => client.close()))
    const [hers, his] = [ada.join('main'), bob.join('main')]
    const heard: unknown[] = []
    hers.on('message', ({ data, offset }) => void heard.push([offset, data]))
    await new Promise((resolve) => void hers.on('joined', resolve))
    await his.send('before')
    await hers.send('heard')
    const session = ada.session
    const seen: number[] = []
    his.presence.subscribe((people) => void seen.push(people.length))

    proxy.freeze()
    await his.send('into the void')
    // What she says is lost on the way, and said again on the next connection.
    const said = hers.send('from the void')
    expect(runtime.census.connections).toBe(2)
    const back = new Promise((resolve) => void hers.on('joined', resolve))
    ada.actor.send({ type: 'client.wake' })
    expect(await back).toMatchObject({ recovered: true, healed: false })
    expect((await said).offset).toBe(4)
    expect(ada.session).toBe(session)
    expect(heard).toEqual([
      [1, 'before'],
      [2, 'heard'],
      [3, 'into the void'],
      [4, 'from the void'],
    ])
    await expect.poll(() => closed).toMatchObject([{ reason: 'replaced' }])
    expect(runtime.census).toEqual({ connections: 2, sessions: 2, rooms: 1 })
    expect(new Set(seen)).toEqual(new Set([2]))
    expect(his.heals + hers.heals).toBe(0)
  })
})
