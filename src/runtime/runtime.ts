import { waitFor, type AnyActorRef } from 'xstate'
import { createRoot, guardInspect, type Inspect } from './actors/actor-system.ts'
import { applicationTypes } from './connection/application-types.ts'
import { ConnectionLink } from './connection/connection-link.ts'
import type { Core } from './core.ts'
import { Door } from './door.ts'
import { checkDrainTime } from './drain.ts'
import type { LanedLogic } from './actors/lanes.ts'
import { systemEnvironment } from './ports/environment.ts'
import { handlesOf } from './connection/connection-handle.ts'
import { handlersByType, type Connection } from './connection/handlers.ts'
import type { Inbound } from './connection/inbound.ts'
import { handlerLogic, Inbox } from './connection/inbox.ts'
import { memoryHistory } from './room/memory-history.ts'
import { resolveSettings, type RuntimeOptions } from './options.ts'
import { Flusher } from './connection/outbox.ts'
import { Pressure } from './connection/pressure.ts'
import { haveSchemas, roomOptionsFinder } from './room/room-options.ts'
import { memorySessions } from './session/memory-sessions.ts'
import { Budget } from './budget.ts'
import { Population } from './actors/population.ts'
import { Steps } from './actors/steps.ts'
import { userHandle, type UserHandle } from './session/user-handle.ts'
import { Users } from './session/users.ts'
import { Supervisor } from './supervisor.ts'
import { Refusals, type RefusalCounts } from './refusals.ts'
import { safeTelemetry } from './telemetry.ts'
import type { Acceptor, ConnectRequest, Refused, RefusedFor, SocketSink, TransportSocket } from './ports/transport.ts'

/** How many of each kind of actor live in a runtime. */
export interface Census {
  readonly connections: number
  readonly sessions: number
  readonly rooms: number
}

/** How a runtime is drained. */
export interface DrainOptions {
  /**
   * How long handing over may take (ms); those who are still here then are closed. What counts is the first call's.
   *
   * @default the runtime's `drainMs`
   */
  readonly withinMs?: number
}

/** The trunk: a system of actors that transports bring sockets to. It listens to nothing by itself. */
export class RuntimeTrunk implements Acceptor {
  readonly #core: Core
  readonly #supervisor: Supervisor
  readonly #applicationTypes: ReadonlySet<string>
  readonly #ended: Promise<void>
  readonly #handlerLogic: LanedLogic
  readonly #door: Door
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
    const handlers = handlersByType(options.handlers)
    const refusals = new Refusals(environment.clock, telemetry)
    this.#door = new Door(settings, environment, refusals)
    this.#applicationTypes = applicationTypes(options.connection, handlers, options.messageSchemas)

    // The supervisor acts upon the core and the core routes through the supervisor: one of them has to be first.
    const link: { root?: AnyActorRef; supervisor?: Supervisor } = {}
    const root = (): AnyActorRef => {
      if (link.root === undefined) throw new Error('The runtime has not started.')
      return link.root
    }
    const steps = new Steps()
    const core: Core = {
      id: environment.newId(),
      options,
      settings,
      environment,
      telemetry,
      refusals,
      budget: new Budget(settings.heldTotalBytes),
      outboxTerms: {
        refusals,
        flusher: new Flusher(environment.clock),
        pressure: new Pressure(settings.outboxTotalBytes),
        limitBytes: settings.outboxBytes,
        answersLimitBytes: settings.outboxBytes + settings.replayBytes,
      },
      handlers,
      roomOptions: roomOptionsFinder(options.rooms),
      hasRoomSchemas: haveSchemas(options.rooms),
      users: new Users(settings, environment.clock),
      abandonedLogs: new Map(),
      vacantRooms: new Set(),
      inboxOf: (link) => (link.inbox ??= this.#inbox(link)),
      sessionChanged: (session) => this.#supervisor.sessions.changed(session),
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
    this.#handlerLogic = handlerLogic(core)
    const history = options.history ?? memoryHistory(environment.newId, settings.historyBytes)
    const sessions = options.sessions ?? memorySessions()
    this.#supervisor = new Supervisor(core, history, sessions)
    link.supervisor = this.#supervisor
    const limits = { intensity: settings.restartIntensity, periodMs: settings.restartPeriodMs }
    if (options.inspect !== undefined) this.#watchers++
    const inspect = options.inspect && this.#guard(options.inspect)
    link.root = createRoot(this.#supervisor.logic(), environment.clock, limits, inspect)
    const ended = new Promise<void>((resolve, reject) => {
      link.root?.subscribe({ complete: resolve, error: reject })
    })
    this.#ended = ended.finally(() => {
      refusals.close()
      return Promise.all([history.close?.(), sessions.close?.()])
    })
    // Whoever awaits `close()` hears of a crash of the supervisor; without anybody it must not end the process.
    this.#ended.catch(() => {})
    link.root.start()
  }

  /** Whether there is no place for one more from an address. */
  refuses(address: string): Refused | undefined {
    return this.#door.refuses(address)
  }

  /** Reports a refusal by a transport's own rules. */
  noteRefusal(reason: RefusedFor): void {
    this.#core.refusals.note({ type: 'connection.refused', reason })
  }

  /** Takes a socket from a transport. */
  accept(socket: TransportSocket, request: ConnectRequest): SocketSink {
    const address = `connection:${++this.#lastConnection}`
    const link = new ConnectionLink(address, socket, request, this.#core, this.#applicationTypes)
    link.pass = this.#door.enter(request)
    if (this.#core.root.getSnapshot().status === 'active') this.#core.root.send({ type: 'connection.accept', link })
    else socket.terminate()
    return link
  }

  /** Whether it takes connections: what a load balancer asks. Not before it has started, nor once it drains. */
  get ready(): boolean {
    return this.#core.root.getSnapshot().value === 'running'
  }

  /** Whether it has been closed, has drained or failed, or is about to. */
  get ended(): boolean {
    const { value } = this.#core.root.getSnapshot()
    return value !== 'running' && value !== 'starting' && value !== 'restoring'
  }

  /**
   * Resolves when the runtime takes connections: at once, unless sessions that a store has kept are still taken in.
   *
   * @throws Error when it has been closed, or has failed
   */
  async whenReady(): Promise<void> {
    const settled = (value: unknown): boolean => value !== 'starting' && value !== 'restoring'
    const { value } = await waitFor(this.#core.root, (snapshot) => settled(snapshot.value))
    if (value !== 'running') throw new Error('The runtime is closed.', { cause: this.#supervisor.failure })
  }

  /** The connections that take part just now. */
  get connections(): readonly Connection[] {
    return handlesOf(this.#core, this.#supervisor.connections.values())
  }

  /** A user: to see where they are connected, and to send them away. Also for one who is not here. */
  user(id: string): UserHandle {
    return userHandle(this.#core, this.#supervisor.sessions, id)
  }

  /** How many actors live, by kind. */
  get census(): Census {
    const { connections, sessions, rooms } = this.#supervisor
    return { connections: connections.size, sessions: sessions.size, rooms: rooms.size }
  }

  /** What was refused since the start, by reason: for metrics. */
  get refusals(): RefusalCounts {
    return this.#core.refusals.counts
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

  /**
   * What waits for readers that are too slow, in their outboxes and sockets: how many they are, and how much it is (bytes).
   * What waits for several counts once; `outboxTotalBytes` bounds it.
   */
  get backpressure(): { readonly readers: number; readonly bytes: number } {
    const { slow, bytes } = this.#core.outboxTerms.pressure
    return { readers: slow, bytes }
  }

  /**
   * What is held for clients beside outboxes and logs: presence states, replies that are remembered, what waits behind
   * handlers and for logs (bytes, roughly); `heldTotalBytes` bounds it.
   */
  get heldBytes(): number {
    return this.#core.budget.held
  }

  /** The actor at an address (`connection:7`, `session:…`, `room:lobby`), for XState's own tools. */
  actorAt(address: string): AnyActorRef | undefined {
    return this.#core.population.get(address)
  }

  /** The root actor, for XState's own tools. */
  get actor(): AnyActorRef {
    return this.#core.root
  }

  /**
   * Hands the connections over: takes no more, says `goodbye` to one batch after the other, each client with a moment
   * of its own to come back at, lets them finish what they have begun, and ends every actor. Those who are still here
   * when the time is up are closed with 1012. A call of {@link close} meanwhile ends it at once.
   *
   * @param withinMs - how long it may take. Default: the runtime's `drainMs`
   * @throws RangeError when that is not a time
   */
  async drain({ withinMs = this.#core.settings.drainMs }: DrainOptions = {}): Promise<void> {
    checkDrainTime(withinMs)
    if (this.#core.root.getSnapshot().status === 'active') this.#core.root.send({ type: 'runtime.drain', withinMs })
    await this.#ended
  }

  /** Closes every connection with 1012, waits for them to go, and ends every actor and store. */
  async close(): Promise<void> {
    if (this.#core.root.getSnapshot().status === 'active') this.#core.root.send({ type: 'runtime.close' })
    await this.#ended
  }

  #inbox(link: ConnectionLink): Inbox<Inbound> {
    const { inboxCount, inboxBytes, handlerConcurrency } = this.#core.settings
    // With none at all nothing would ever be handled.
    const limits = { count: inboxCount, bytes: inboxBytes, calls: Math.max(1, handlerConcurrency) }
    return new Inbox(this.#core, this.#handlerLogic, link, limits, (message) => {
      link.actor?.send({ type: 'socket.message', message })
    })
  }
}
