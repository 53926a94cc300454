import { randomBytes } from 'node:crypto'
import { Client } from './client.ts'
import type { Message } from './client-socket.ts'
import { ConformanceError } from './conformance-error.ts'
import type { Need } from './check.ts'
import { leave, requestUpgrade } from './raw-socket.ts'
import { nobodysToken } from './refused.ts'
import { welcomed, type Place } from './site.ts'
import type { Transcript } from './transcript.ts'

/** What a client presents in `hello`: a token, or nothing, as a guest. */
export interface Credentials {
  readonly token?: string
}

/** The numbers in force, as the `welcome` has them. */
interface Limits {
  readonly frameBytes: number
  readonly rooms: number
  readonly presenceBytes: number
}

/** What one has to know of a server before it can be checked. */
export interface Facts {
  /** What is here of what checks need. */
  readonly has: ReadonlySet<Need>
  readonly ada: Credentials
  readonly adaUser: string
  /** Credentials of another user, where there is one. */
  readonly bob: Credentials | undefined
  /** A token that is not ada's: another user's, or nobody's. */
  readonly lesserToken: string
  readonly limits: Limits
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number }
}

/** How much of its log a room has to keep for it to be checked. */
const keptMessages = 12

/** How long a presence state of the checks is (bytes). */
const shortState = 20

/** Looks who is let in and what rooms are like. */
export class Survey {
  readonly #place: Place
  readonly #transcript: Transcript

  constructor(place: Place, transcript: Transcript) {
    this.#place = place
    this.#transcript = transcript
  }

  /**
   * @throws ConformanceError when there is no WebSocket server, or it lets nobody in with these tokens
   */
  async take(token: string | undefined, otherToken: string | undefined): Promise<Facts> {
    await this.#reach()
    const guest = await this.#come({})
    const ada: Credentials = token === undefined ? {} : { token }
    const first = token === undefined ? guest : await this.#come(ada)
    if (first.closed === 4001) {
      throw token === undefined
        ? new ConformanceError(
            'credentials-needed',
            'The server lets nobody in without credentials: pass one, as --token or `token`.',
          )
        : new ConformanceError('credentials-refused', 'The server refuses the token.')
    }
    const { welcome } = first
    if (welcome === undefined) return this.#facts(new Set(), ada, {}, undefined)
    const has = new Set<Need>(['welcome'])
    if (guest.welcome !== undefined) has.add('guests')
    const { user } = welcome
    if ((await this.#come(ada)).welcome?.['user'] === user) has.add('tabs')
    const other = otherToken === undefined ? undefined : await this.#come({ token: otherToken })
    if (other?.closed === 4001) throw new ConformanceError('credentials-refused', 'The server refuses the other token.')
    const bob = await this.#another(user, otherToken, has.has('guests'))
    if (bob !== undefined) has.add('two users')
    // With which code is for a check to see.
    if ((await this.#come({ token: nobodysToken })).closed !== undefined) has.add('refusal')
    if (token !== undefined && (has.has('refusal') || has.has('tabs'))) has.add('token')
    if (has.has('token') && bob?.token !== undefined && has.has('tabs')) has.add('two tokens')
    await this.#lookAtRooms(ada, has)
    const facts = this.#facts(has, ada, welcome, bob)
    if (facts.limits.presenceBytes >= shortState) has.add('states')
    return facts
  }

  #facts(has: Set<Need>, ada: Credentials, welcome: Partial<Message>, bob: Credentials | undefined): Facts {
    // What a broken `welcome` does not say is taken for the default.
    const limits = welcome['limits'] as Partial<Limits> | undefined
    const heartbeat = welcome['heartbeat'] as Partial<Facts['heartbeat']> | undefined
    return {
      has,
      ada,
      adaUser: String(welcome['user']),
      bob,
      lesserToken: bob?.token ?? nobodysToken,
      limits: { frameBytes: 65_536, rooms: 100, presenceBytes: 2_048, ...limits },
      heartbeat: { intervalMs: 25_000, timeoutMs: 10_000, ...heartbeat },
    }
  }

  async #reach(): Promise<void> {
    const { url, patienceMs } = this.#place
    try {
      const upgrade = await requestUpgrade(url, {}, patienceMs)
      leave(upgrade)
      const { status } = upgrade
      if (status !== 101) {
        throw new ConformanceError('no-websocket', `There is no WebSocket at this address: it answers ${status}.`)
      }
    } catch (error) {
      if (error instanceof ConformanceError) throw error
      const { message, code } = error as NodeJS.ErrnoException
      // Several addresses were tried: the message is empty then.
      throw new ConformanceError('unreachable', `The server cannot be reached: ${message === '' ? code : message}.`)
    }
  }

  /** Comes with credentials and leaves at once. */
  async #come(credentials: Credentials): Promise<{ readonly welcome?: Message; readonly closed?: number }> {
    return this.#visit(credentials, async (client) => ({ welcome: client.welcome }))
  }

  async #visit<T>(credentials: Credentials, look: (client: Client) => Promise<T>): Promise<T | { closed?: number }> {
    const options = { ...this.#place, transcript: this.#transcript }
    const client = await Client.open('visitor', options).catch(() => undefined)
    if (client === undefined) return {}
    try {
      await welcomed(client, credentials)
      return await look(client)
    } catch {
      return client.closed === undefined ? {} : { closed: client.closed.code }
    } finally {
      if (client.closed === undefined) await client.close(1000).catch(() => client.cut())
    }
  }

  /** Credentials that make another user than this one: the other token, or a guest's. */
  async #another(user: unknown, token: string | undefined, guests: boolean): Promise<Credentials | undefined> {
    for (const credentials of [...(token === undefined ? [] : [{ token }]), ...(guests ? [{}] : [])]) {
      const { welcome } = await this.#come(credentials)
      if (welcome !== undefined && welcome['user'] !== user) return credentials
    }
    return undefined
  }

  async #lookAtRooms(credentials: Credentials, has: Set<Need>): Promise<void> {
    const room = `conformance survey ${randomBytes(9).toString('hex')}`
    // Where nothing can be seen there is something wrong, and the checks of rooms say what.
    let [kept, counts] = [keptMessages, false]
    await this.#visit(credentials, async (client) => {
      counts = (await client.join(room))['count'] !== undefined
      for (let data = 1; data < keptMessages; data++) client.send({ type: 'message', room, data })
      await client.say(room, keptMessages)
      const { messages } = await client.ask({ type: 'history', room, limit: keptMessages })
      if (Array.isArray(messages)) kept = messages.length
    })
    has.add(counts ? 'counts' : 'members')
    if (kept >= keptMessages) has.add('log')
  }
}
