import { randomBytes } from 'node:crypto'
import { subprotocol } from '../protocol/index.ts'
import { Client } from './client.ts'
import type { Message, OpenOptions } from './client-socket.ts'
import { Break } from './expectation.ts'
import { RawSocket, requestUpgrade, type Upgrade } from './raw-socket.ts'
import type { Credentials, Facts } from './survey.ts'
import type { Transcript } from './transcript.ts'

/** Where a server stands, and how long it may take. */
export interface Place {
  readonly url: string
  readonly patienceMs: number
}

/** How a client of a check comes in. */
export interface EntryOptions extends Pick<OpenOptions, 'polite' | 'headers' | 'answersPings'> {
  /** In place of the credentials that its name stands for. */
  readonly as?: Credentials
  /** In the query of the upgrade request. */
  readonly token?: string
}

/** Rooms of this process are its own, also on a server that several check at once. */
const run = randomBytes(6).toString('hex')
let rooms = 0

/** Where one check takes place: sockets, rooms that nobody else is in, and users. What it opened it closes. */
export class Site {
  readonly facts: Facts
  readonly transcript: Transcript
  /** How long what is awaited may take (ms). */
  readonly patienceMs: number
  readonly #url: string
  readonly #clients: Client[] = []
  readonly #sockets: RawSocket[] = []

  constructor(place: Place, facts: Facts, transcript: Transcript) {
    this.#url = place.url
    this.patienceMs = place.patienceMs
    this.facts = facts
    this.transcript = transcript
  }

  /** What comes on time may come later by so much (ms). */
  get slackMs(): number {
    return Math.min(this.patienceMs, 2_000)
  }

  /** The name of a room in which nobody has been. */
  room(): string {
    return `conformance ${run} ${++rooms}`
  }

  /** Who a client of this name is: `ada` and what begins so is one user, everybody else another where there are two. */
  credentialsOf(name: string): Credentials {
    return name.startsWith('ada') ? this.facts.ada : (this.facts.bob ?? this.facts.ada)
  }

  /** Opens a socket, and says nothing. */
  async open(name: string, { token, ...options }: EntryOptions = {}): Promise<Client> {
    const url = token === undefined ? this.#url : withQuery(this.#url, token)
    const { transcript, patienceMs } = this
    const client = await Client.open(name, { url, transcript, patienceMs, ...options })
    this.#clients.push(client)
    return client
  }

  /** A client that has said who it is, and has been welcomed. */
  async enter(name: string, options: EntryOptions = {}, resume?: Client['claim']): Promise<Client> {
    const client = await this.open(name, options)
    const { token } = options.as ?? this.credentialsOf(name)
    await welcomed(client, { ...(token === undefined ? {} : { token }), ...(resume === undefined ? {} : { resume }) })
    return client
  }

  /** A client that is in a room. */
  async member(name: string, room: string, fields: object = {}): Promise<Client> {
    const client = await this.enter(name)
    await client.join(room, fields)
    return client
  }

  /** A client with the session of another. */
  async comeBack(former: Client, name = `${former.name} again`): Promise<Client> {
    return this.enter(name, { as: this.credentialsOf(former.name) }, former.claim)
  }

  /** An upgrade request by hand; `path` takes the place of the endpoint's. */
  async upgrade(headers: Readonly<Record<string, string>> = {}, path?: string): Promise<Upgrade> {
    const url = new URL(this.#url)
    if (path !== undefined) url.pathname = path
    try {
      return await requestUpgrade(url.href, headers, this.patienceMs)
    } catch (error) {
      throw new Break('an answer to the upgrade request', String((error as Error).message))
    }
  }

  /** The path of the endpoint. */
  get path(): string {
    return new URL(this.#url).pathname
  }

  /** A socket that sends bytes as they are, and has not been welcomed. */
  async raw(name: string): Promise<RawSocket> {
    const upgrade = await this.upgrade({ 'Sec-WebSocket-Protocol': subprotocol })
    const socket = new RawSocket(name, upgrade, this.transcript, this.patienceMs)
    this.#sockets.push(socket)
    return socket
  }

  /** Ends what the check began: its sessions are over, and nobody waits for them. */
  async close(): Promise<void> {
    const waiting = new Map<string, readonly [name: string, claim: Client['claim']]>()
    for (const socket of this.#sockets) {
      if (socket.claim !== undefined) waiting.set(socket.claim.session, [socket.name, socket.claim])
      socket.destroy()
    }
    for (const { name, received } of this.#clients) {
      for (const { type, session, secret } of received) {
        if (type === 'welcome')
          waiting.set(String(session), [name, { session: String(session), secret: String(secret) }])
      }
    }
    for (const client of this.#clients) {
      if (client.closed === undefined) await client.close(1000).catch(() => client.cut())
      // Closed with 1000 by the client: the session that it had at last is over.
      if (client.closed?.code === 1000) waiting.delete(client.lastSession)
    }
    // What a check left waiting by a cut would be shown as here for a while, and be kept for longer.
    for (const [name, claim] of waiting.values()) await this.#endSession(name, claim).catch(() => {})
  }

  async #endSession(name: string, claim: Client['claim']): Promise<void> {
    const again = await this.enter(name, { as: this.credentialsOf(name) }, claim)
    await again.close(1000)
  }
}

/** Says who a client is, and awaits the welcome. */
export async function welcomed(client: Client, fields: object = {}): Promise<Message> {
  client.send({ type: 'hello', ...fields })
  return client.until('a welcome', () => client.received.find(({ type }) => type === 'welcome'))
}

function withQuery(url: string, token: string): string {
  const target = new URL(url)
  target.searchParams.set('token', token)
  return target.href
}
