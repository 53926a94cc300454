import type { AnyActorRef } from 'xstate'
import { supervisorMachine, type SupervisorEvent } from '../../machines/index.ts'
import { closeCodes } from '../protocol/index.ts'
import { connectionLogic, release } from './connection.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Core } from './core.ts'
import type { History } from './history.ts'
import { withLanes, type LanedLogic } from './lanes.ts'
import { roomOptionsFinder } from './options.ts'
import { withPopulation, type PopulationListener } from './population.ts'
import { giveUp, roomLogic } from './room.ts'
import { RoomRecord } from './room-record.ts'
import { Sessions } from './session.ts'

type EventOf<Type extends SupervisorEvent['type']> = Extract<SupervisorEvent, { type: Type }>

/** What lives under the supervisor, and how: the records that its children act upon, and what their ends mean. */
export class Supervisor implements PopulationListener {
  readonly connections = new Map<string, ConnectionLink>()
  readonly rooms = new Map<string, RoomRecord>()
  readonly sessions: Sessions
  readonly #core: Core
  readonly #connectionLogic: LanedLogic
  readonly #roomLogic: LanedLogic
  readonly #roomOptions: ReturnType<typeof roomOptionsFinder>

  constructor(core: Core, history: History) {
    this.#core = core
    this.sessions = new Sessions(core)
    this.#connectionLogic = connectionLogic(core, this.sessions)
    this.#roomLogic = roomLogic(core, history, (session) => this.sessions.get(session.id) === session)
    this.#roomOptions = roomOptionsFinder(core.options.rooms)
  }

  /** The chart with its actions. */
  logic(): LanedLogic {
    const machine = supervisorMachine.provide({
      actions: {
        startConnection: ({ event }) => this.#startConnection((event as EventOf<'connection.accept'>).link as ConnectionLink),
        refuseConnection: ({ event }) => {
          const { socket } = (event as EventOf<'connection.accept'>).link as ConnectionLink
          socket.close(closeCodes.serviceRestart, 'server-closing')
        },
        deliver: ({ event }) => this.#deliver(event as EventOf<'route'>),
        restart: ({ event }) => this.#restart((event as EventOf<'child.crashed'>).address),
        closeConnections: () => {
          for (const link of this.connections.values()) {
            link.actor?.send({ type: 'connection.close', reason: 'server-closing' })
          }
        },
        stopChildren: () => this.#stopChildren(),
        reportFailure: () => this.#core.telemetry({ type: 'runtime.failed' }),
      },
      guards: { noConnections: () => this.connections.size === 0 },
      delays: { drainTimeout: this.#core.settings.drainMs },
    })
    const laned = withLanes(machine, { hot: ['route'], watched: this.#core.watched })
    return withPopulation(laned, () => this.#core.population)
  }

  done(address: string): void {
    this.#ended(address)
  }

  crashed(address: string, error: unknown): void {
    const room = this.rooms.get(address)
    const restarted = room !== undefined && this.#mayRestart(room)
    this.#core.telemetry({ type: 'actor.crashed', address, error, restarted })
    if (room !== undefined && restarted) {
      room.actor = undefined
      this.#core.root.send({ type: 'child.crashed', address, at: this.#core.environment.clock.now() })
      return
    }
    if (room !== undefined) giveUp(room)
    const link = this.connections.get(address)
    if (link !== undefined) {
      release(this.#core, link, 'crashed')
      link.close('crashed')
    }
    this.#ended(address)
  }

  #ended(address: string): void {
    this.rooms.delete(address)
    if (address.startsWith('session:')) this.sessions.forget(address.slice('session:'.length))
    if (this.connections.delete(address) && this.connections.size === 0) {
      this.#core.root.send({ type: 'connections.gone' })
    }
  }

  #startConnection(link: ConnectionLink): void {
    const { population, root } = this.#core
    this.connections.set(link.address, link)
    link.actor = population.create(root, this.#connectionLogic, link.address, 'connection', { link })
    link.actor.start()
  }

  #deliver({ to, event }: EventOf<'route'>): void {
    const actor = this.#core.population.get(to)
    if (actor !== undefined) actor.send(event)
    else if (event.type === 'room.join') this.#startRoom(to).send(event)
  }

  #startRoom(address: string): AnyActorRef {
    const { population, root } = this.#core
    const room = this.rooms.get(address) ?? this.#newRoom(address)
    this.rooms.set(address, room)
    room.actor = population.create(root, this.#roomLogic, address, 'room', { room })
    room.actor.start()
    return room.actor
  }

  #newRoom(address: string): RoomRecord {
    const name = address.slice('room:'.length)
    const { history, historyMs } = this.#roomOptions(name)
    const { idempotencyMs, idempotencyCount } = this.#core.settings
    return new RoomRecord(name, { count: history, ageMs: historyMs, idempotencyMs, idempotencyCount })
  }

  #restart(address: string): void {
    const room = this.rooms.get(address)
    if (room === undefined || room.actor !== undefined) return
    const actor = this.#startRoom(address)
    // Members whose sessions ended while nobody was there to be told.
    for (const session of room.sessions) {
      if (this.sessions.get(session.id) === undefined) actor.send({ type: 'room.leave', session, message: undefined })
    }
    if (room.size === 0) actor.send({ type: 'room.emptied' })
  }

  #mayRestart(room: RoomRecord): boolean {
    const now = this.#core.environment.clock.now()
    const { restartPeriodMs, roomRestartIntensity } = this.#core.settings
    room.crashes = [...room.crashes.filter((at) => at > now - restartPeriodMs), now]
    return room.crashes.length <= roomRestartIntensity
  }

  #stopChildren(): void {
    for (const link of this.connections.values()) link.socket.terminate()
    this.connections.clear()
    this.rooms.clear()
    this.sessions.clear()
    this.#core.population.stopAll()
  }
}
