import type { AnyActorRef } from 'xstate'
import type { Environment } from './ports/environment.ts'
import type { ConnectionLink } from './connection/connection-link.ts'
import type { HandlerOptions } from './connection/handlers.ts'
import type { Inbound } from './connection/inbound.ts'
import type { Inbox } from './connection/inbox.ts'
import type { LaneOptions } from './actors/lanes.ts'
import type { OutboxTerms } from './connection/outbox.ts'
import type { Population } from './actors/population.ts'
import type { RuntimeOptions, Settings } from './options.ts'
import type { ResolvedRoomOptions } from './room/room-options.ts'
import type { Refusals } from './refusals.ts'
import type { Budget } from './budget.ts'
import type { Session } from './session/session.ts'
import type { Steps } from './actors/steps.ts'
import type { Users } from './session/users.ts'
import type { Telemetry } from './telemetry.ts'

/** What the parts of a runtime share. */
export interface Core {
  /** The identity of this runtime: another process has another. */
  readonly id: string
  readonly options: RuntimeOptions
  readonly settings: Settings
  readonly environment: Environment
  readonly telemetry: Telemetry
  readonly refusals: Refusals
  readonly budget: Budget
  readonly outboxTerms: OutboxTerms
  /** Everybody who lives directly under the supervisor, by address. */
  readonly population: Population
  /** The supervisor. */
  readonly root: AnyActorRef
  readonly steps: Steps
  /** Who is connected. */
  readonly users: Users
  /** What every actor's fast lane needs. */
  readonly lanes: Pick<LaneOptions, 'steps' | 'watched'>
  /** What answers clients' requests, by their type. */
  readonly handlers: ReadonlyMap<string, HandlerOptions>
  /** How the rooms of a name behave. */
  readonly roomOptions: (name: string) => ResolvedRoomOptions
  /** Whether any of them demands that what is said fits a schema. */
  readonly hasRoomSchemas: boolean
  /** Logs that rooms have given up, by room: until they have answered for all that they were given. */
  readonly abandonedLogs: Map<string, Promise<void>>
  /** The addresses of rooms that nobody is in, longest first. */
  readonly vacantRooms: Set<string>
  /** What keeps a connection's messages in order while one of them takes time. Made when it is first needed. */
  inboxOf(link: ConnectionLink): Inbox<Inbound>
  /** What is to be kept of a session has changed. */
  sessionChanged(session: Session): void
  /** Sends an event to whoever lives at an address, through the supervisor. */
  route(to: string, event: { readonly type: string }): void
}
