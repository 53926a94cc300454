import type { AnyActorRef } from 'xstate'
import type { Environment } from './environment.ts'
import type { LaneOptions } from './lanes.ts'
import type { Flusher } from './outbox.ts'
import type { Population } from './population.ts'
import type { RuntimeOptions, Settings } from './options.ts'
import type { Steps } from './steps.ts'
import type { Telemetry } from './telemetry.ts'

/** What the parts of a runtime share. */
export interface Core {
  readonly options: RuntimeOptions
  readonly settings: Settings
  readonly environment: Environment
  readonly telemetry: Telemetry
  readonly flusher: Flusher
  /** Everybody who lives directly under the supervisor, by address. */
  readonly population: Population
  /** The supervisor. */
  readonly root: AnyActorRef
  readonly steps: Steps
  /** What every actor's fast lane needs. */
  readonly lanes: Pick<LaneOptions, 'steps' | 'watched'>
  /** Sends an event to whoever lives at an address, through the supervisor. */
  route(to: string, event: { readonly type: string }): void
}
