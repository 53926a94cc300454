import { expect } from 'vitest'
import type { RawClient, Stage } from '../stage.ts'
import { claimOf, greet } from './cast.ts'

type Wire = RawClient['received'][number]
interface Message {
  readonly epoch: string
  readonly offset: number
  readonly data: unknown
}

/**
 * A member that does what the protocol asks of a client, by hand, and holds the server to its side: it comes back with
 * the position that it had reached, passes over what comes before the `joined`, and repeats what was not acknowledged
 * under the same id. Whatever it receives is checked as it is taken in.
 */
export class Follower {
  /** What it has seen, in the order in which it has. */
  readonly seen: Message[] = []
  /** What it has said: how often, and what came of it. */
  readonly said = new Map<string, { sends: number; ack?: Message }>()
  /** How often it was told that it has missed nothing, and that it may have; and how often it saw that by itself. */
  readonly told = { recovered: 0, lost: 0, gaps: 0 }
  /** Whether it may be told that something is lost: when the log could not be read. */
  mayLose = false
  /** Whether a message may be missing between two: when the log has lost it before anybody could be told. */
  mayMiss = false
  readonly #stage: Stage
  readonly #token: string
  #client!: RawClient
  #claim!: ReturnType<typeof claimOf>
  #position: { epoch: unknown; offset: number } | undefined
  /** Whether it is a member, and the id of the `join` that it waits for. */
  #state: 'out' | 'joining' | 'in' = 'out'
  #join = ''
  #requests = 0
  /** Of this connection: what was asked, less what was answered, by id. */
  #owed = new Map<unknown, number>()
  #taken = 0

  constructor(stage: Stage, token: string) {
    this.#stage = stage
    this.#token = token
  }

  get socket(): RawClient['socket'] {
    return this.#client.socket
  }

  get offset(): number | undefined {
    return this.#position?.offset
  }

  /** Connects, or comes back on another socket. */
  async connect(): Promise<void> {
    const returns = this.#claim !== undefined
    if (returns) {
      this.#client.socket.cut()
      await this.#stage.clock.settle()
      this.take()
    }
    this.#client = await greet(this.#stage, { token: this.#token, ...(returns ? { resume: this.#claim } : {}) })
    expect(this.#client.last('welcome')['resumed']).toBe(returns)
    this.#claim ??= claimOf(this.#client)
    this.#owed = new Map()
    this.#taken = 0
    this.join()
  }

  join(): void {
    this.#state = 'joining'
    this.#join = this.ask({ type: 'join', ...(this.#position === undefined ? {} : { since: this.#position }) })
  }

  say(id = `${this.#token} ${this.said.size + 1}`): void {
    const said = this.said.get(id) ?? { sends: 0 }
    this.said.set(id, said)
    said.sends++
    this.ask({ type: 'message', data: id, id })
  }

  /** Repeats what was not acknowledged. */
  repeat(): void {
    for (const [id, { ack }] of this.said) if (ack === undefined) this.say(id)
  }

  ask(request: { readonly type: string; readonly id?: string; readonly [field: string]: unknown }): string {
    const id = request.id ?? `${request.type} ${++this.#requests}`
    this.#owed.set(id, (this.#owed.get(id) ?? 0) + 1)
    this.#client.send({ ...request, id, room: 'main' })
    return id
  }

  /** Takes in what has come. */
  take(): void {
    for (const message of this.#client.received.slice(this.#taken)) {
      this.#taken++
      const { id } = message
      if (id !== undefined && message.type !== 'welcome') {
        const owed = this.#owed.get(id) ?? 0
        expect(owed, `an answer that nobody asked for: ${JSON.stringify(message)}`).toBeGreaterThan(0)
        this.#owed.set(id, owed - 1)
      }
      this.#takeOne(message)
    }
  }

  /** Everything that was asked on this connection has been answered. */
  expectAnswers(): void {
    expect([...this.#owed].filter(([, owed]) => owed > 0)).toEqual([])
    expect(this.#client.closed).toEqual([])
    expect(this.#state).toBe('in')
  }

  #takeOne(message: Wire): void {
    if (message.type === 'ack' && this.said.has(String(message['id']))) this.#takeAck(message)
    else if (message.type === 'message' && this.#state === 'in') this.#see(message as unknown as Message)
    else if (message.type === 'joined' && message['id'] === this.#join) this.#takeJoined(message)
    else if (message.type === 'error') this.#takeError(message)
  }

  #takeAck(message: Wire): void {
    const { epoch, offset, id } = message as unknown as Message & { id: string }
    const said = this.said.get(id)
    if (said === undefined) return
    const ack = { epoch, offset, data: id }
    // Acknowledged twice, it is with one place; and its sender has its own copy, if it is listening.
    expect(said.ack ?? ack).toEqual(ack)
    said.ack = ack
    if (this.#state === 'in') expect(this.offset).toBeGreaterThanOrEqual(offset)
  }

  #takeJoined(message: Wire): void {
    const { epoch, recovered, messages } = message as unknown as {
      epoch: string
      recovered: boolean
      messages: Message[]
    }
    const first = this.#position === undefined
    this.#state = 'in'
    if (!first && !recovered) {
      expect(this.mayLose).toBe(true)
      this.told.lost++
    } else if (!first) {
      this.told.recovered++
    }
    if (recovered) expect(epoch).toBe(this.#position?.epoch)
    else this.#position = { epoch, offset: Number(message['offset']) - messages.length }
    for (const missed of messages) this.#see(missed)
    expect(this.offset).toBe(message['offset'])
  }

  /** The next message, of which it must have the one before. */
  #see(message: Message): void {
    const { epoch, offset, data } = message
    if (this.mayMiss && epoch === this.#position?.epoch && offset > (this.offset ?? 0) + 1) {
      this.told.gaps++
      return this.join()
    }
    expect({ epoch, offset }).toEqual({ epoch: this.#position?.epoch, offset: (this.offset ?? 0) + 1 })
    this.#position = { epoch, offset }
    this.seen.push({ epoch, offset, data })
  }

  #takeError({ code, id }: Wire): void {
    if (code === 'room-unavailable' && (id === undefined || id === this.#join)) this.#state = 'out'
    // It was out before it knew.
    else expect(['storage-failed', 'room-unavailable', 'not-a-member']).toContain(code)
    if (id === this.#join) this.#state = 'out'
  }

  /** Whether it has to join anew. */
  get isOut(): boolean {
    return this.#state === 'out'
  }
}
