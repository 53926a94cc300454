import { ByteClient, type Manners } from '../transports/raw/byte-client.ts'
import { close, text } from '../transports/raw/raw-frame.ts'
import { upgradeRequest, type RawRequest, type Response } from '../transports/raw/raw-request.ts'

/** A message from the server. */
export interface Message {
  readonly type: string
  readonly [field: string]: unknown
}

/** How a socket ended; 1006 when there was no close frame. */
export interface Ending {
  readonly code: number
  readonly reason: string
}

/** What an attacker says when it comes in. */
export interface Entrance extends Manners, RawRequest {
  /** Said in a `hello`. @default there is no hello, and whoever has no token is a guest */
  readonly token?: string
  readonly resume?: { readonly session: unknown; readonly secret: unknown }
}

/** Somebody on a socket of its own who sends whatever bytes it likes. */
export class Attacker {
  readonly bytes: ByteClient
  #asked = 0

  /** Opens a TCP connection and says nothing. */
  static async connect(port: number, manners: Manners = {}): Promise<Attacker> {
    return new Attacker(await ByteClient.connect(port, manners))
  }

  private constructor(bytes: ByteClient) {
    this.bytes = bytes
  }

  /** Asks for an upgrade. */
  async knock(request: RawRequest = {}): Promise<Response> {
    this.bytes.write(upgradeRequest(request))
    return this.bytes.answered()
  }

  /** Asks for an upgrade, says who it is, and is welcomed. */
  async enter({ token, resume, headers, ...request }: Entrance = {}): Promise<Message> {
    const isPolite = token !== undefined || resume !== undefined
    const protocol = isPolite ? { 'sec-websocket-protocol': 'greenroom.v1' } : {}
    this.bytes.write(upgradeRequest({ ...request, headers: { ...protocol, ...headers } }))
    if (isPolite) this.say({ type: 'hello', ...(token === undefined ? {} : { token }), ...(resume ? { resume } : {}) })
    return this.heard('welcome')
  }

  /** Sends a message, or text as it stands. */
  say(message: object | string): void {
    this.bytes.write(text(typeof message === 'string' ? message : JSON.stringify(message)))
  }

  /** Sends a request, and awaits its reply. */
  async ask(message: object): Promise<Message> {
    const id = `q${++this.#asked}`
    this.say({ ...message, id })
    return this.#find((reply) => reply['id'] === id)
  }

  /** Awaits a message of a type. */
  heard(type: string): Promise<Message> {
    return this.#find((message) => message.type === type)
  }

  /** Awaits so many messages of a type. */
  async heardAll(type: string, count: number): Promise<Message[]> {
    const all = (): Message[] => this.bytes.messages.filter((message) => message.type === type)
    await this.bytes.until(() => all().length >= count)
    return all()
  }

  async #find(matches: (message: Message) => boolean): Promise<Message> {
    let found: Message | undefined
    await this.bytes.until(() => (found = this.bytes.messages.find(matches)) !== undefined)
    return found as unknown as Message
  }

  /** Awaits the end, and answers the server's close frame. */
  async ending(): Promise<Ending> {
    await this.bytes.until(() => this.bytes.ended || this.bytes.closing !== undefined)
    this.bytes.write(close(this.bytes.closing?.code === 1005 ? undefined : this.bytes.closing?.code))
    await this.bytes.until(() => this.bytes.ended)
    return this.bytes.closing ?? { code: 1006, reason: '' }
  }

  /** Leaves for good, as one should. */
  async leave(): Promise<void> {
    this.bytes.write(close(1000))
    await this.ending()
  }

  /** Cuts the socket, if there still is one. A reset leaves no port behind that waits to be forgotten. */
  cut(): void {
    if (!this.bytes.ended) this.bytes.tcp.resetAndDestroy()
  }
}
