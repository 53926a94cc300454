import { subscriberOf } from './ports/address.ts'
import type { Settings } from './options.ts'
import { TokenBucket } from './connection/token-bucket.ts'
import type { Environment } from './ports/environment.ts'
import type { ConnectRequest, Refused, RefusedFor } from './ports/transport.ts'
import type { Refusals } from './refusals.ts'

/** How long those who were refused are to stay away at most (s); less by chance, or they would return all at once. */
const stayAwaySeconds = 10

/** A socket that is counted, until it says that it is gone. */
export interface Pass {
  /** Its client has been welcomed. */
  welcomed(): void
  /** The socket is gone. */
  left(): void
}

/**
 * Counts who comes in: how many there are, in all and by address, how many of them have not been welcomed yet, and how
 * fast they come. Whoever is one too many is refused before there is a WebSocket to close.
 */
export class Door {
  readonly #settings: Settings
  readonly #environment: Environment
  readonly #refusals: Refusals
  readonly #upgrades: TokenBucket
  readonly #byAddress = new Map<string, number>()
  #sockets = 0
  #waiting = 0

  constructor(settings: Settings, environment: Environment, refusals: Refusals) {
    this.#settings = settings
    this.#environment = environment
    this.#refusals = refusals
    this.#upgrades = new TokenBucket(settings.upgradesPerSecond, settings.upgradeBurst, environment.clock.now())
  }

  /** Whether there is no place for one more from an address; what is said of that is a `Retry-After`. */
  refuses(address: string): Refused | undefined {
    const reason = this.#reason(address)
    if (reason === undefined) return undefined
    this.#refusals.note({ type: 'connection.refused', reason })
    return { reason, retryAfterSeconds: 1 + Math.floor(this.#environment.random() * stayAwaySeconds) }
  }

  /** Counts a socket. */
  enter({ address }: ConnectRequest): Pass {
    const subscriber = subscriberOf(address)
    this.#sockets++
    this.#waiting++
    this.#byAddress.set(subscriber, (this.#byAddress.get(subscriber) ?? 0) + 1)
    return new Place(this, subscriber)
  }

  /** A socket counts among those that have not been welcomed no more. */
  welcome(): void {
    this.#waiting--
  }

  /** A socket is gone. */
  leave(subscriber: string): void {
    this.#sockets--
    const others = (this.#byAddress.get(subscriber) ?? 1) - 1
    if (others === 0) this.#byAddress.delete(subscriber)
    else this.#byAddress.set(subscriber, others)
  }

  #reason(address: string): RefusedFor | undefined {
    const { connectionsTotal, connectionsPerAddress, unauthenticatedConnections } = this.#settings
    if (this.#sockets >= connectionsTotal) return 'total'
    if (this.#waiting >= unauthenticatedConnections) return 'unauthenticated'
    if ((this.#byAddress.get(subscriberOf(address)) ?? 0) >= connectionsPerAddress) return 'address'
    // Last: who is refused for something else has cost nothing of it.
    return this.#upgrades.take(this.#environment.clock.now()) ? undefined : 'upgrades'
  }
}

/** One socket's place. There is one for each connection, so it is small: no closures. */
class Place implements Pass {
  readonly #door: Door
  readonly #subscriber: string
  #state: 'waiting' | 'welcomed' | 'gone' = 'waiting'

  constructor(door: Door, subscriber: string) {
    this.#door = door
    this.#subscriber = subscriber
  }

  welcomed(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'welcomed'
    this.#door.welcome()
  }

  left(): void {
    if (this.#state === 'gone') return
    if (this.#state === 'waiting') this.#door.welcome()
    this.#state = 'gone'
    this.#door.leave(this.#subscriber)
  }
}
