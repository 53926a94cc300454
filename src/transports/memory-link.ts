import type { Clock } from '../runtime/ports/environment.ts'

/** Something on its way from one end of a memory socket to the other. */
export interface Delivery {
  readonly kind: 'open' | 'message' | 'ping' | 'pong' | 'close'
  /** What a message says. */
  readonly payload?: string | Uint8Array
  /** Of a close: the code, 1006 when the socket ends without a word. */
  readonly code?: number
  /** Called when it has arrived. */
  arrive(): void
  /** Called when a link that goes on has lost it: it waits in the writer's socket no more. */
  lost?(): void
}

/** One direction of a link. What is put in comes out at the other end in the same order, or not at all. */
export interface Pipe {
  /** Carries what was written in one piece. Nothing arrives within this call. */
  carry(deliveries: readonly Delivery[]): void
  /** Whether what is written now waits in the writer's socket. */
  readonly stalled: boolean
}

/** What connects the two ends of a memory socket. */
export interface Link {
  readonly toServer: Pipe
  readonly toClient: Pipe
}

/** A link on which everything arrives at the end of the turn of the event loop. */
export function promptLink(clock: Clock): Link {
  const pipe: Pipe = {
    stalled: false,
    carry: (deliveries) => {
      clock.setImmediate(() => {
        for (const delivery of deliveries) delivery.arrive()
      })
    },
  }
  return { toServer: pipe, toClient: pipe }
}
