import type { EndReason, Identity } from '../../../machines/index.ts'
import type { Settings } from '../options.ts'
import { AuthenticationError } from '../ports/authenticate.ts'

/** What delays and guards of a connection's chart look at. */
interface Args {
  readonly context: { readonly identity: Identity | undefined; readonly reason?: EndReason | undefined }
  readonly event: { readonly output?: unknown; readonly error?: unknown }
}

/**
 * The delays of a connection's chart, and its guards that concern time and identity: what depends on nothing but the
 * settings and the chart's own context.
 *
 * @param now - the time (ms since the epoch)
 */
export function connectionTiming(settings: Settings, now: () => number) {
  const { credentialsTimeoutMs, renewalGraceMs, goodbyeGraceMs, closeTimeoutMs } = settings
  const untilExpiry = ({ context }: Args, graceMs = 0): number => {
    const expiresAt = context.identity?.expiresAt
    return expiresAt === undefined ? Infinity : Math.max(0, expiresAt + graceMs - now())
  }
  return {
    guards: {
      isForbidden: ({ event }: Args) => failureOf(event) === 'forbidden',
      isUnknown: ({ event }: Args) => failureOf(event) === 'unavailable',
      mayRenew: (args: Args) => untilExpiry(args, renewalGraceMs) > 0,
      sameUser: ({ context, event }: Args) => (event.output as Identity).user.id === context.identity?.user.id,
    },
    delays: {
      credentialsTimeout: credentialsTimeoutMs,
      untilExpiry: (args: Args) => untilExpiry(args),
      untilFormerExpiry: (args: Args) => untilExpiry(args) || Infinity,
      renewalGrace: (args: Args) => untilExpiry(args, renewalGraceMs),
      goodbyeGrace: goodbyeGraceMs,
      // A slow reader's close frame waits behind its backlog and is not worth waiting for.
      closeTimeout: ({ context }: Args) =>
        context.reason === 'slow-consumer' ? Math.min(1_000, closeTimeoutMs) : closeTimeoutMs,
    },
  }
}

/** How long an identity still holds, as its client is told: by a duration, since clocks differ. For ever needs no words. */
export function remainingLife(identity: Identity | undefined, now: number): { readonly expiresInMs?: number } {
  const { expiresAt } = identity ?? {}
  return expiresAt === undefined ? {} : { expiresInMs: Math.max(0, expiresAt - now) }
}

function failureOf({ error }: Args['event']): string | undefined {
  return error instanceof AuthenticationError ? error.code : undefined
}
