import { ClientSocket, type Message, type OpenOptions } from './client-socket.ts'
import { Break, expectFit, fits, show } from './expectation.ts'

const replyTypes = new Set(['welcome', 'authenticated', 'joined', 'left', 'ack', 'history', 'pong', 'error', 'reply'])

/** Counted over all clients: a session that comes back on another socket must not use an id again. */
let asked = 0

/** One client of the server, and what clients do. */
export class Client extends ClientSocket {
  /**
   * Opens a socket.
   *
   * @throws Break when it does not open
   */
  static async open(name: string, options: OpenOptions): Promise<Client> {
    const client = new Client(name, options)
    await client.opened()
    return client
  }

  /** The place in `received` behind everything that has come so far. */
  get mark(): number {
    return this.received.length
  }

  /** What has come from a mark on, of a type. */
  since(mark: number, type: string): Message[] {
    return this.received.slice(mark).filter((message) => message.type === type)
  }

  /** The messages of a room that have come, replayed ones not counted. */
  heard(room: string): Message[] {
    return this.received.filter((message) => message.type === 'message' && message['room'] === room)
  }

  /** Awaits a message that fits a pattern, among those from a mark on. */
  hears(pattern: object, mark = 0, withinMs?: number): Promise<Message> {
    const look = (): Message | undefined => this.received.slice(mark).find((message) => fits(message, pattern))
    return this.until(show(pattern), look, withinMs)
  }

  /** Awaits a number of messages of a room. */
  async hearsMany(room: string, count: number): Promise<Message[]> {
    return this.until(`${count} messages of the room`, () => {
      const heard = this.heard(room)
      return heard.length >= count ? heard : undefined
    })
  }

  /** The replies to a request, by its id; also such as there should not be. */
  repliesTo(id: unknown): Message[] {
    return this.received.filter((message) => replyTypes.has(message.type) && message['id'] === id)
  }

  /** Sends a request and awaits its reply, whatever it is. One without an `id` gets one of its own. */
  async ask(request: { readonly type: string; readonly [field: string]: unknown }): Promise<Message> {
    const id = request['id'] ?? `${this.name} ${++asked}`
    const before = this.repliesTo(id).length
    this.send({ ...request, id })
    return this.until(`a reply to ${request.type} with the id ${show(id)}`, () => this.repliesTo(id)[before])
  }

  /** Sends a frame that cannot carry an id, and awaits the next `error`. */
  async provoke(frame: string | Uint8Array): Promise<Message> {
    const mark = this.mark
    this.send(frame)
    return this.until('an error', () => this.since(mark, 'error')[0])
  }

  /** Sends a request that is to be refused, and holds the refusal to its code. */
  async isRefused(request: { readonly type: string; readonly [field: string]: unknown }, code: string): Promise<void> {
    expectFit(await this.ask(request), { type: 'error', code }, `the reply to ${show(request).slice(0, 200)}`)
  }

  async join(room: string, fields: object = {}): Promise<Message> {
    const joined = await this.ask({ type: 'join', room, ...fields })
    expectFit(joined, { type: 'joined', room }, 'the reply to join')
    return joined
  }

  async leave(room: string): Promise<void> {
    expectFit(await this.ask({ type: 'leave', room }), { type: 'left', room }, 'the reply to leave')
  }

  /** Says something in a room; when it returns, this client has everything that the room told it before. */
  async say(room: string, data: unknown, fields: object = {}): Promise<Message> {
    const ack = await this.ask({ type: 'message', room, data, ...fields })
    expectFit(ack, { type: 'ack' }, 'the reply to message')
    return ack
  }

  get welcome(): Message {
    const welcome = this.received.findLast(({ type }) => type === 'welcome')
    if (welcome === undefined) throw new Break('a welcome', 'none')
    return welcome
  }

  /** The session of the last welcome; empty before the first. */
  get lastSession(): string {
    return String(this.received.findLast(({ type }) => type === 'welcome')?.['session'] ?? '')
  }

  get user(): string {
    return String(this.welcome['user'])
  }

  get session(): string {
    return String(this.welcome['session'])
  }

  /** What names this client's session and proves that it is its own. */
  get claim(): { readonly session: string; readonly secret: string } {
    return { session: this.session, secret: String(this.welcome['secret']) }
  }

  /** The epoch that this client was told of a room when it joined. */
  epochOf(room: string): unknown {
    return this.since(0, 'joined').findLast((message) => message['room'] === room)?.['epoch']
  }
}
