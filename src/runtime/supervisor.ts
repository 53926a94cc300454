import { fromPromise } from 'xstate'
import { supervisorMachine, type SupervisorEvent } from '../../machines/index.ts'
import { closeCodes, errorMessage, type RequestId } from '../protocol/index.ts'
import { release } from './connection/admission.ts'
import { connectionLogic } from './connection/connection.ts'
import type { ConnectionLink } from './connection/connection-link.ts'
import { implement } from './actors/actor-system.ts'
import type { Core } from './core.ts'
import type { History } from './ports/history.ts'
import { withLanes, type LanedLogic } from './actors/lanes.ts'
import { withPopulation, type PopulationListener } from './actors/population.ts'
import { giveUp, roomLogic } from './room/room.ts'
import { RoomRecord } from './room/room-record.ts'
import { Drain } from './drain.ts'
import { isThenable, type Eventually } from './ports/eventually.ts'
import type { SessionRecord, SessionStore } from './ports/session-store.ts'
import { Sessions } from './session/sessions.ts'
import type { Session } from './session/session.ts'
import type { TransportSocket } from './ports/transport.ts'

type EventOf<Type extends SupervisorEvent['type']> = Extract<SupervisorEvent, { type: Type }>

/** What lives under the supervisor, and how: the records that its children act upon, and what their ends mean. */
export class Supervisor implements PopulationListener {
  readonly connections = new Map<string, ConnectionLink>()
  readonly rooms = new Map<string, RoomRecord>()
  readonly sessions: Sessions
  /** What made the runtime fail before it was ready. */
  failure: unknown
  readonly #core: Core
  readonly #connectionLogic: LanedLogic
  readonly #roomLogic: LanedLogic
  /** What a former process left, until it has been taken in. */
  #restorable: Eventually<readonly SessionRecord[]>
  #drain: Drain | undefined
  /** Sockets that have no actor (any more), and the timers that end them. */
  readonly #orphans = new Map<TransportSocket, unknown>()

  constructor(core: Core, history: History, store: SessionStore) {
    this.#core = core
    this.#restorable = store.restore()
    this.sessions = new Sessions(core, store, (session, room) => this.rooms.get(`room:${room}`)?.stateOf(session))
    this.#connectionLogic = connectionLogic(core, this.sessions)
    this.#roomLogic = roomLogic(core, history, (session) => this.sessions.get(session.id) === session)
  }

  /** The chart with its actions. */
  logic(): LanedLogic {
    const machine = implement(supervisorMachine, {
      actors: { restoreSessions: fromPromise<void>(({ signal }) => this.#restoreSessions(signal)) },
      actions: {
        startConnection: ({ event }) =>
          this.#startConnection((event as EventOf<'connection.accept'>).link as ConnectionLink),
        refuseConnection: ({ event }) => {
          const { socket } = (event as EventOf<'connection.accept'>).link as ConnectionLink
          socket.close(closeCodes.serviceRestart, 'server-closing')
          this.#leaveAlone(socket)
        },
        postponeConnection: ({ event }) => {
          const { socket } = (event as EventOf<'connection.accept'>).link as ConnectionLink
          socket.close(closeCodes.tryAgainLater, 'starting')
          this.#leaveAlone(socket)
        },
        deliver: ({ event }) => this.#deliver(event as EventOf<'route'>),
        restart: ({ event }) => this.#restart((event as EventOf<'child.crashed'>).address),
        planDrain: ({ event }) => {
          const { withinMs } = event as EventOf<'runtime.drain'>
          this.#drain = new Drain([...this.connections.values()], withinMs, this.#core)
        },
        handOver: () => this.#drain?.handOver(),
        closeConnections: () => {
          for (const link of this.connections.values()) {
            link.actor?.send({ type: 'connection.close', reason: 'server-closing' })
          }
        },
        stopChildren: () => this.#stopChildren(),
        reportFailure: ({ event }) => {
          this.failure = (event as { error?: unknown }).error
          this.#core.telemetry({
            type: 'runtime.failed',
            ...(this.failure === undefined ? {} : { error: this.failure }),
          })
        },
      },
      guards: {
        noConnections: () => this.connections.size === 0,
        mustRestore: () => isThenable(this.#restorable) || this.#restorable.length > 0,
      },
      delays: { closingTimeout: this.#core.settings.drainMs },
    })
    const laned = withLanes(machine, { hot: ['route'], ...this.#core.lanes })
    return withPopulation(laned, () => this.#core.population)
  }

  done(address: string): void {
    // One that was cut off has its socket's end still before it.
    const link = this.connections.get(address)
    if (link !== undefined) {
      link.actor = undefined
      // A chart of one's own may have ended without a release.
      this.#core.users.leave(link)
    }
    this.#ended(address)
  }

  crashed(address: string, error: unknown): void {
    const room = this.rooms.get(address)
    const restarted = room !== undefined && this.#mayRestart(room)
    this.#core.telemetry({ type: 'actor.crashed', address, error, restarted })
    // It had no time to take itself off the list; once it is back, it goes to the end.
    this.#core.vacantRooms.delete(address)
    if (room !== undefined && restarted) {
      room.actor = undefined
      this.#core.root.send({ type: 'child.crashed', address, at: this.#core.environment.clock.now() })
      return
    }
    if (room !== undefined) giveUp(this.#core, room)
    if (address.startsWith('session:')) this.#sessionCrashed(address.slice('session:'.length))
    const link = this.connections.get(address)
    if (link !== undefined) {
      release(this.#core, this.sessions, link, 'crashed')
      link.close('crashed')
      this.#core.telemetry({ type: 'connection.closed', connection: address, reason: 'crashed' })
      link.actor = undefined
      this.#leaveAlone(link.socket)
    }
    this.#ended(address)
  }

  /** Nobody is to stay in a room without a session, nor connected; its client comes back and gets another. */
  #sessionCrashed(id: string): void {
    const session = this.sessions.get(id)
    if (session === undefined) return
    for (const room of [...session.rooms.values()]) {
      this.#core.route(room, { type: 'room.leave', session, message: undefined, mayAskAgain: true } as never)
    }
    const { link } = session
    if (link !== undefined) this.#core.route(link.address, { type: 'connection.close', reason: 'crashed' } as never)
  }

  #ended(address: string): void {
    this.rooms.get(address)?.backlog.clear()
    this.rooms.delete(address)
    this.#core.vacantRooms.delete(address)
    if (address.startsWith('session:')) this.sessions.forget(address.slice('session:'.length))
    if (this.connections.delete(address) && this.connections.size === 0) {
      this.#core.root.send({ type: 'connections.gone' })
    }
  }

  #startConnection(link: ConnectionLink): void {
    const { population, root, steps } = this.#core
    this.connections.set(link.address, link)
    steps.after(() => {
      link.actor = population.create(root, this.#connectionLogic, link.address, 'connection', { link })
      link.actor.start()
    })
  }

  #deliver({ to, event }: EventOf<'route'>): void {
    const actor = this.#core.population.get(to)
    if (actor !== undefined) actor.send(event)
    else if (event.type === 'room.join' && !this.rooms.has(to) && !this.#makePlace()) refuseRoom(this.#core, event)
    else if (event.type === 'room.join' || event.type === 'room.restore') this.#startRoom(to, event)
    // It is about to start, or to start again.
    else if (this.rooms.has(to)) this.#startRoom(to, event)
    else answerUndelivered(event)
  }

  /** Whether there is a place for one more room; that of one that nobody is in is given away. */
  #makePlace(): boolean {
    if (this.rooms.size < this.#core.settings.roomsTotal) return true
    for (const longest of this.#core.vacantRooms) {
      // Not by way of the mailbox: whether it goes has to be known now.
      const room = this.#core.population.get(longest)
      room?.send({ type: 'room.evict' })
      // It may have to stay, as its log has yet to answer, or crash instead and come back.
      if (room?.getSnapshot().status === 'done') return true
    }
    return false
  }

  /** Starts a room, new or again, and sends it its first event. */
  #startRoom(address: string, ...events: readonly { readonly type: string }[]): void {
    const { population, root, steps } = this.#core
    const room = this.rooms.get(address) ?? this.#newRoom(address)
    this.rooms.set(address, room)
    steps.after(() => {
      // Two joins within one step ask for the same room twice.
      const present = population.get(address)
      room.actor = present ?? population.create(root, this.#roomLogic, address, 'room', { room })
      if (present === undefined) room.actor.start()
      for (const event of events) room.actor.send(event)
    })
  }

  #newRoom(address: string): RoomRecord {
    const name = address.slice('room:'.length)
    const options = this.#core.roomOptions(name)
    const { idempotencyMs, idempotencyCount, roomBacklogBytes } = this.#core.settings
    const { budget } = this.#core
    const limits = { count: options.history, ageMs: options.historyMs, idempotencyMs, idempotencyCount }
    return new RoomRecord(name, { options, limits, roomBacklogBytes, budget })
  }

  /** Takes in the sessions that a former process left: its clients find them, and nobody sees them go and come. */
  async #restoreSessions(signal: AbortSignal): Promise<void> {
    const records = await this.#restorable
    this.#restorable = []
    // The runtime may have been closed while the store thought.
    if (signal.aborted) return
    const { environment, settings } = this.#core
    const now = environment.clock.now()
    for (const record of records) {
      const { detachedAt = now, rooms } = record
      const session = this.sessions.restore(record)
      session.unconfirmed = new Set(rooms.map(({ name }) => name))
      const absent = detachedAt + settings.presenceGraceMs <= now
      for (const { name, state, role } of rooms) {
        const address = `room:${name}`
        session.rooms.set(name, address)
        if (role !== undefined) (session.roles ??= new Map()).set(name, role)
        this.#core.route(address, { type: 'room.restore', session, state, absent } as never)
      }
    }
  }

  #restart(address: string): void {
    const room = this.rooms.get(address)
    if (room === undefined || room.actor !== undefined) return
    // Sessions that ended while nobody was there to be told.
    const gone = room.sessions.filter((session) => this.sessions.get(session.id) === undefined)
    const leaves = gone.map((session) => ({ type: 'room.leave', session, message: undefined }))
    this.#startRoom(address, ...leaves)
  }

  #mayRestart(room: RoomRecord): boolean {
    const now = this.#core.environment.clock.now()
    const { restartPeriodMs, roomRestartIntensity } = this.#core.settings
    room.crashes = [...room.crashes.filter((at) => at > now - restartPeriodMs), now]
    return room.crashes.length <= roomRestartIntensity
  }

  /** A socket has been sent its close frame, and has no actor that could time the handshake out. */
  #leaveAlone(socket: TransportSocket): void {
    const { environment, settings } = this.#core
    const end = (): void => {
      this.#orphans.delete(socket)
      socket.terminate()
    }
    this.#orphans.set(socket, environment.clock.setTimeout(end, settings.closeTimeoutMs))
  }

  #stopChildren(): void {
    for (const link of this.connections.values()) link.socket.terminate()
    for (const [socket, timer] of this.#orphans) {
      this.#core.environment.clock.clearTimeout(timer)
      socket.terminate()
    }
    this.#orphans.clear()
    this.connections.clear()
    // The store is told of the last changes: what sessions are shown as is known to the rooms.
    this.sessions.clear()
    this.rooms.clear()
    this.#core.population.stopAll()
  }
}

/** A room cannot be: whoever wants in is told, and is not on its way any more. */
function refuseRoom(core: Core, event: { readonly type: string }): void {
  const { session, message } = event as unknown as { session: Session; message: { id?: RequestId; room: string } }
  session.rooms.delete(message.room)
  core.sessionChanged(session)
  session.outbox?.refuse(errorMessage('room-unavailable', message.id, message.room))
}

/** A request to an address where nobody lives gets its one reply all the same. */
function answerUndelivered(event: { readonly type: string }): void {
  const { session, message } = event as { session?: Session; message?: { id?: RequestId; room?: string } }
  if (message !== undefined) session?.outbox?.refuse(errorMessage('room-unavailable', message.id, message.room))
}
