import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createRuntime, type Runtime, type RuntimeOptions } from 'greenroom'

function run(options: RuntimeOptions = {}): Runtime {
  const runtime = createRuntime(options)
  onTestFinished(() => runtime.close())
  return runtime
}

/** A client by hand, what it has received, and its end. */
async function connect(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  onTestFinished(() => socket.terminate())
  const received: { readonly type: string; readonly [key: string]: unknown }[] = []
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as { type: string }))
  socket.on('error', () => {})
  const closed = new Promise<[number, string]>((resolve) => {
    socket.once('close', (code, reason) => resolve([code, String(reason)]))
  })
  const heard = async (type: string) => {
    for (;;) {
      const found = received.find((message) => message.type === type)
      if (found !== undefined) return found
      await once(socket, 'message')
    }
  }
  return { socket, received, closed, heard }
}

/** Whether anybody listens there. */
async function answers(port: number): Promise<boolean> {
  const tcp = connectTcp(port, '127.0.0.1')
  const connected = await once(tcp, 'connect').then(
    () => true,
    () => false,
  )
  tcp.destroy()
  return connected
}

describe('a runtime on ports that drains', () => {
  it('[GOODBYE-1] [GOODBYE-2] closes its ports at once, hands its clients over, and leaves nothing', async () => {
    let finish = (_result: unknown): void => {}
    const slow = (): Promise<unknown> => new Promise((resolve) => (finish = resolve))
    const runtime = run({ goodbyeGraceMs: 300, drainPerSecond: 20, handlers: { slow } })
    const port = await runtime.listen(0, { host: '127.0.0.1' })
    const other = await runtime.listen(0, { host: '127.0.0.1' })
    const clients = [await connect(port), await connect(port), await connect(other)]
    for (const { heard } of clients) await heard('welcome')
    clients[0]?.socket.send('{"type":"slow","id":1}')
    const drained = runtime.drain({ withinMs: 10_000 })
    expect(runtime.ready).toBe(false)
    await Promise.all(clients.map(({ heard }) => heard('goodbye')))
    expect([await answers(port), await answers(other)]).toEqual([false, false])
    finish('done')
    expect(await clients[0]?.heard('reply')).toMatchObject({ data: 'done', id: 1 })
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => [1012, 'server-closing']))
    await drained
    expect(runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    await expect(runtime.listen(0)).rejects.toThrow('closed')
  })

  it('[GOODBYE-1] turns newcomers away with 1012 on a server that is somebody else’s, and lets go of it', async () => {
    const runtime = run({ goodbyeGraceMs: 200 })
    const server = createServer((_request, response) => void response.end('here'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    runtime.attach(server)
    const { port } = server.address() as AddressInfo
    const ada = await connect(port)
    await ada.heard('welcome')
    const drained = runtime.drain()
    const late = await connect(port)
    expect(await late.closed).toEqual([1012, 'server-closing'])
    expect(late.received).toEqual([])
    expect(await ada.closed).toEqual([1012, 'server-closing'])
    await drained
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here')
    expect(server.listenerCount('upgrade')).toBe(0)
  })

  it('[CLOSED] ends at once when it is closed meanwhile, silent clients or not', async () => {
    const runtime = run({ goodbyeGraceMs: 60_000, closeTimeoutMs: 200 })
    const port = await runtime.listen(0, { host: '127.0.0.1' })
    const [ada, silent] = [await connect(port), await connect(port)]
    for (const { heard } of [ada, silent]) await heard('welcome')
    silent.socket.pause()
    const drained = runtime.drain({ withinMs: Infinity })
    await ada.heard('goodbye')
    await Promise.all([runtime.close(), drained])
    expect(await ada.closed).toEqual([1012, 'server-closing'])
    expect(await answers(port)).toBe(false)
  })

  it('[GOODBYE-1] goes on as it was when the time that it is given is none', async () => {
    const runtime = run()
    const port = await runtime.listen(0, { host: '127.0.0.1' })
    await expect(runtime.drain({ withinMs: NaN })).rejects.toThrow(RangeError)
    const { heard } = await connect(port)
    expect(await heard('welcome')).toBeDefined()
  })
})
