import { defineHandler, type Handlers } from '../../runtime/connection/handlers.ts'
import type { RuntimeOptions } from '../../runtime/options.ts'
import { RuntimeTrunk } from '../../runtime/runtime.ts'
import { RequestError } from '../../protocol/index.ts'
import { defineRoom } from '../../runtime/room/room-options.ts'
import type { VirtualDisk } from '../disk/virtual-disk.ts'
import type { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { VirtualProcess } from '../virtual-process.ts'
import { poison } from './poison.ts'
import type { CrashTarget, SimulationSetting } from './plan.ts'
import { WireTap, type WireListener } from './wire-tap.ts'

/** What holds for every simulated server. Small bounds, so that they are reached. */
export const bounds = {
  outboxBytes: 16_384,
  outboxTotalBytes: 262_144,
  replayBytes: 32_768,
  replayCount: 300,
  presenceGraceMs: 15_000,
  typingMs: 3_000,
} as const

/** What a server is started with. */
export interface ServerTerms {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly disk: VirtualDisk | undefined
  readonly setting: SimulationSetting
  readonly listeners: readonly WireListener[]
  readonly inspect?: RuntimeOptions['inspect']
  /** Is told when the runtime has given up. */
  failed(): void
  /** Is told that an answered request was done once more. */
  again(says: string): void
  /** Is told when a room has been given up. */
  roomLost(room: string): void
}

/** One process of the server, from its start to its end. */
export class SimulatedServer {
  readonly process: VirtualProcess
  readonly runtime: RuntimeTrunk
  readonly tap: WireTap
  /** Requests whose replies have been sent, by session and id. */
  readonly answered = new Set<string>()
  /** Whether the credentials that it gives from now on may end. */
  tokensEnd = true
  readonly #clock: VirtualClock
  readonly #setting: SimulationSetting

  constructor({ clock, random, disk, setting, listeners, inspect, failed, again, roomLost }: ServerTerms) {
    this.#clock = clock
    this.#setting = setting
    this.process = new VirtualProcess(clock, random.fork())
    const stores = disk?.mount(this.process)
    this.runtime = new RuntimeTrunk({
      ...bounds,
      restartIntensity: 12,
      environment: this.process.environment,
      authenticate: (credentials) => this.#authenticate(credentials.token),
      handlers: this.#handlers(again),
      rooms: {
        '*': defineRoom({ history: 1_000 }),
        'count:*': defineRoom({ history: 1_000, presence: 'count' }),
        'latest:*': defineRoom({ history: 1_000, slow: 'latest' }),
        'drop:*': defineRoom({ history: 1_000, slow: 'drop' }),
      },
      ...(setting.store === 'both' || setting.store === 'logs' ? { history: stores?.history } : {}),
      ...(setting.store === 'both' || setting.store === 'sessions' ? { sessions: stores?.sessions } : {}),
      telemetry: (event) => {
        if (event.type === 'runtime.failed') failed()
        if (event.type === 'room.givenUp') roomLost(event.room)
      },
      ...(inspect === undefined ? {} : { inspect }),
    } as RuntimeOptions)
    this.tap = new WireTap(this.runtime, () => clock.now(), listeners)
  }

  /**
   * Makes an actor throw: one of those that a device's connection consists of, or a room's.
   *
   * @returns the session of it, where there is one
   */
  crash(what: CrashTarget, device: string, room: string): { readonly session?: string | undefined } | undefined {
    if (what === 'room') {
      const actor = this.runtime.actorAt(`room:${room}`)
      actor?.send(poison.room())
      return actor === undefined ? undefined : {}
    }
    const connection = this.tap.connectionOf(device)
    if (connection === undefined) return undefined
    if (what === 'connection') this.runtime.actorAt(connection.address)?.send(poison.connection())
    else if (what === 'session') this.runtime.actorAt(`session:${connection.session}`)?.send(poison.session())
    else this.tap.brokenPings.add(device)
    return connection
  }

  async #authenticate(token = 'bad'): Promise<{ user: { id: string }; expiresAt?: number }> {
    await this.#later(token === 'slow' ? 12_000 : this.#latency(), 'authenticate')
    if (token.startsWith('bad')) throw new Error('Who is this?')
    const tokenMs = this.tokensEnd ? this.#setting.tokenMs : undefined
    const user = { id: token }
    return tokenMs === undefined ? { user } : { user, expiresAt: this.process.environment.clock.now() + tokenMs }
  }

  #handlers(again: ServerTerms['again']): Handlers {
    return {
      echo: (data, { connection, id }) => {
        // What has been answered is answered again, and not done again.
        if (this.answered.has(`${connection.session} ${id}`)) {
          again(`the request ${id} of ${connection.user.id} was answered, and is done again`)
        }
        return data
      },
      slow: async (data) => {
        await this.#later(2_000, 'slow')
        return data
      },
      fail: () => {
        throw new RequestError('declined')
      },
      'ask back': async (_data, { connection, signal }) => connection.request('question', 1, { signal }),
      never: defineHandler({ concurrent: true, timeoutMs: 5_000, handle: () => new Promise(() => {}) }),
    }
  }

  #latency(): number {
    return this.#setting.diskMs === 0 ? 0 : Math.floor(this.process.environment.random() * this.#setting.diskMs)
  }

  #later(ms: number, label: string): Promise<void> {
    if (ms === 0) return this.#clock.schedule(Promise.resolve(), label)
    const passed = new Promise<void>((resolve) => {
      this.#clock.setTimeout(() => this.process.run(resolve), ms)
    })
    return this.#clock.schedule(passed, label)
  }
}
