import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createClient, type ClientError, type Receipt } from 'greenroom/client'

const roomCount = 4
const perRoom = 50
/** Said in all between one start of the server and its end. */
const messagesPerLife = 600
const kills = 3

/** Runs a server on a folder, kills it, and runs another in its place. */
class DurableServer {
  readonly errors: string[] = []
  port = 0
  readonly #path = mkdtempSync(join(tmpdir(), 'greenroom-'))
  #child: ChildProcess | undefined

  async start(): Promise<void> {
    const file = fileURLToPath(new URL('durable-server-process.ts', import.meta.url))
    const child = fork(file, [this.#path, String(this.port)], { execArgv: ['--import', 'tsx'] })
    this.#child = child
    this.port = await new Promise<number>((resolve, reject) => {
      child.on('message', (told: { port: number } | { error: string }) => {
        if ('port' in told) resolve(told.port)
        else this.errors.push(told.error)
      })
      child.once('exit', (code, signal) => reject(new Error(`The server ended: ${code} ${signal}`)))
    })
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.#path, { recursive: true, force: true })
  }
}

/** One who chats: says so much, one thing after the other, and notes all that is heard and seen. */
class Chatter {
  readonly name: string
  readonly acked: { readonly data: string; readonly offset: number }[] = []
  readonly heard: { readonly data: unknown; readonly offset: number }[] = []
  readonly troubles: string[] = []
  readonly recoveries: boolean[] = []
  /** The fewest people that were shown after everybody had been. */
  fewest = Infinity
  readonly complete: Promise<void>
  readonly #client
  readonly #room

  constructor(name: string, roomName: string, port: number) {
    this.name = name
    this.#client = createClient(`ws://127.0.0.1:${port}/ws`, {
      token: name,
      WebSocket,
      backoffMs: 100,
      backoffMaxMs: 400,
    })
    this.#room = this.#client.join(roomName, { presence: { name } })
    this.#room.on('message', ({ data, offset = NaN }) => void this.heard.push({ data, offset }))
    this.#room.on('joined', ({ recovered }) => void this.recoveries.push(recovered))
    this.#room.on('gap', (gap) => void this.troubles.push(`gap ${JSON.stringify(gap)}`))
    const onError = ({ code, message }: ClientError): void => void this.troubles.push(`${code} ${message}`)
    this.#client.on('error', onError)
    this.#room.on('error', onError)
    this.complete = new Promise((resolve) => {
      this.#room.presence.subscribe((people) => {
        if (people.length === perRoom) resolve()
        if (this.fewest !== Infinity || people.length === perRoom) this.fewest = Math.min(this.fewest, people.length)
      })
    })
  }

  get heals(): number {
    return this.#client.heals
  }

  async chat(goOn: () => boolean, onAck: () => void): Promise<void> {
    for (let i = 0; goOn(); i++) {
      const data = `${this.name} ${i}`
      const { offset }: Receipt = await this.#room.send(data)
      this.acked.push({ data, offset })
      onAck()
    }
  }

  /** Resolves when this many messages have been heard. */
  async hears(count: number): Promise<void> {
    if (this.heard.length >= count) return
    await new Promise<void>((resolve) => {
      const stop = this.#room.on('message', () => {
        if (this.heard.length < count) return
        stop()
        resolve()
      })
    })
  }

  close(): void {
    this.#client.close()
  }
}

describe('a server on disk that is killed and started again', () => {
  it(
    '[ONCE] [GAPLESS] [PRESENCE] loses nothing that was acknowledged to 200 who chat, and nobody sees it go',
    { timeout: 120_000 },
    async () => {
      const server = new DurableServer()
      onTestFinished(() => server.end())
      await server.start()
      const rooms = Array.from({ length: roomCount }, (_, room) =>
        Array.from({ length: perRoom }, (_, i) => new Chatter(`user ${room}-${i}`, `room ${room}`, server.port)),
      )
      const everybody = rooms.flat()
      onTestFinished(() => everybody.forEach((chatter) => chatter.close()))
      await Promise.all(everybody.map(({ complete }) => complete))

      let [lives, acks, restarting] = [1, 0, false]
      const onAck = (): void => {
        // Always in the middle of the chat: everybody goes on.
        if (++acks < messagesPerLife || lives > kills || restarting) return
        restarting = true
        void (async () => {
          await server.kill()
          await server.start()
          ;[lives, acks, restarting] = [lives + 1, 0, false]
        })()
      }
      await Promise.all(everybody.map((chatter) => chatter.chat(() => lives <= kills || acks < messagesPerLife, onAck)))
      expect(lives).toBe(kills + 1)

      for (const room of rooms) {
        const acked = room.flatMap((chatter) => chatter.acked).toSorted((a, b) => a.offset - b.offset)
        const count = acked.length
        expect(count).toBeGreaterThan((messagesPerLife * kills) / roomCount / 2)
        expect(acked.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
        for (const chatter of room) {
          await chatter.hears(count)
          expect(chatter.heard).toEqual(acked)
          expect(chatter.troubles).toEqual([])
          expect(chatter.heals).toBe(0)
          // The first join has nothing to recover; every later one has recovered all. One who was still waiting to try
          // again when the next server was killed has fewer.
          const [first, ...later] = chatter.recoveries
          expect(first).toBe(false)
          expect(later.length).toBeGreaterThan(0)
          expect(later).not.toContain(false)
          expect(chatter.fewest).toBe(perRoom)
        }
      }
      expect(server.errors).toEqual([])

      const witness = new WebSocket(`ws://127.0.0.1:${server.port}/ws?token=witness`)
      onTestFinished(() => witness.terminate())
      await once(witness, 'message')
      witness.send('{"type":"join","room":"room 0"}')
      const [text] = (await once(witness, 'message')) as [Buffer]
      const { members } = JSON.parse(text.toString()) as { members: { user: string }[] }
      expect(members.map(({ user }) => user).toSorted()).toEqual(
        [...(rooms[0] ?? []).map(({ name }) => name), 'witness'].toSorted(),
      )
    },
  )
})
