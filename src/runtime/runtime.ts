import type { AnyActorRef } from 'xstate'
import { createRoot, guardInspect, type Inspect } from './actor-system.ts'
import { applicationTypes } from './application.ts'
import { ConnectionLink } from './connection-link.ts'
import type { Core } from './core.ts'
import { systemEnvironment } from './environment.ts'
import { memoryHistory } from './history.ts'
import { resolveSettings, type RuntimeOptions } from './options.ts'
import { Flusher } from './outbox.ts'
import { Population } from './population.ts'
import { Steps } from './steps.ts'
import { Supervisor } from './supervisor.ts'
import { safeTelemetry } from './telemetry.ts'
import type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from './transport.ts'

/** How many of each kind of actor live in a runtime. */
export interface Census {
  readonly connections: number
  readonly sessions: number
  readonly rooms: number
}

/** The trunk: a system of actors that transports bring sockets to. It listens to nothing by itself. */
export class RuntimeTrunk implements Acceptor {
  readonly #core: Core
  readonly #supervisor: Supervisor
  readonly #applicationTypes: ReadonlySet<string> | undefined
  readonly #ended: Promise<void>
  #watchers = 0
  #lastConnection = 0

  /**
   * @throws RangeError when an option is not a number it can be
   * @throws TypeError when the connection machine is not one
   */
  constructor(options: RuntimeOptions = {}) {
    const settings = resolveSettings(options)
    const environment = options.environment ?? systemEnvironment()
    const telemetry = safeTelemetry(options.telemetry)
    this.#applicationTypes = applicationTypes(options.connection)

    // The supervisor acts upon the core and the core routes through the supervisor: one of them has to be first.
    const link: { root?: AnyActorRef; supervisor?: Supervisor } = {}
    const root = (): AnyActorRef => {
      if (link.root === undefined) throw new Error('The runtime has not started.')
      return link.root
    }
    const steps = new Steps()
    const core: Core = {
      options,
      settings,
      environment,
      telemetry,
      flusher: new Flusher(environment.clock),
      population: new Population({
        done: (address) => link.supervisor?.done(address),
        crashed: (address, error) => link.supervisor?.crashed(address, error),
      }),
      get root() {
        return root()
      },
      steps,
      lanes: { steps, watched: () => this.#watchers > 0 },
      route: (to, event) => root().send({ type: 'route', to, event }),
    }
    this.#core = core
    this.#supervisor = new Supervisor(core, options.history ?? memoryHistory(environment.newId, settings.historyBytes))
    link.supervisor = this.#supervisor
    const limits = { intensity: settings.restartIntensity, periodMs: settings.restartPeriodMs }
    if (options.inspect !== undefined) this.#watchers++
    const inspect = options.inspect && this.#guard(options.inspect)
    link.root = createRoot(this.#supervisor.logic(), environment.clock, limits, inspect)
    this.#ended = new Promise((resolve, reject) => {
      link.root?.subscribe({ complete: resolve, error: reject })
    })
    // Whoever awaits `close()` hears of a crash of the supervisor; without anybody it must not end the process.
    this.#ended.catch(() => {})
    link.root.start()
  }

  /** Takes a socket from a transport. */
  accept(socket: TransportSocket, request: ConnectRequest): SocketSink {
    const address = `connection:${++this.#lastConnection}`
    const link = new ConnectionLink(address, socket, request, this.#core, this.#applicationTypes)
    if (this.#core.root.getSnapshot().status === 'active') this.#core.root.send({ type: 'connection.accept', link })
    else socket.terminate()
    return link
  }

  /** Whether it takes connections: not once it has been closed, or has failed. */
  get running(): boolean {
    return this.#core.root.getSnapshot().value === 'running'
  }

  /** How many actors live, by kind. */
  get census(): Census {
    const { connections, sessions, rooms } = this.#supervisor
    return { connections: connections.size, sessions: sessions.size, rooms: rooms.size }
  }

  /** The numbers that are in force. */
  get settings(): Core['settings'] {
    return this.#core.settings
  }

  /**
   * Shows an XState inspection observer what happens from now on; while there is one, fast lanes are off, so that it
   * sees every step. Actors that live already are not announced to it again.
   *
   * @returns what ends it
   */
  inspect(observer: Inspect): () => void {
    const { unsubscribe } = this.#core.root.system.inspect(this.#guard(observer))
    let watching = true
    this.#watchers++
    return () => {
      if (!watching) return
      watching = false
      this.#watchers--
      unsubscribe()
    }
  }

  #guard(observer: Inspect): ReturnType<typeof guardInspect> {
    return guardInspect(observer, (error) =>
      this.#core.telemetry({ type: 'callback.threw', callback: 'inspect', error }),
    )
  }

  /** The root actor, for XState's own tools. */
  get actor(): AnyActorRef {
    return this.#core.root
  }

  /** Closes every connection with 1012, waits for them to go, and ends every actor. */
  async close(): Promise<void> {
    if (this.#core.root.getSnapshot().status === 'active') this.#core.root.send({ type: 'runtime.drain' })
    await this.#ended
  }
}
