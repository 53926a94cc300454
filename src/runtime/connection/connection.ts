import { fromPromise, type AnyActorRef, type AnyStateMachine } from 'xstate'
import {
  connectionMachine,
  heartbeatMachine,
  type EndReason,
  type Identity,
  type User,
} from '../../../machines/index.ts'
import { encodeData, isRoomName, type AuthMessage, type HelloMessage } from '../../protocol/index.ts'
import { admit, becomeUser, release, takeOver } from './admission.ts'
import { withApplicationMessages } from './application.ts'
import { applicationType, sendApplicationMessage } from './connection-handle.ts'
import type { ConnectionLink } from './connection-link.ts'
import { implement } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import { handleMessage, perform, type Inbound } from './inbound.ts'
import type { Inbox } from './inbox.ts'
import { askAgain } from './permission.ts'
import { AuthenticationError } from '../ports/authenticate.ts'
import { connectionTiming, remainingLife } from './timing.ts'
import { withLanes, type LanedLogic } from '../actors/lanes.ts'
import { withPopulation } from '../actors/population.ts'
import type { Sessions } from '../session/sessions.ts'

/** What an action or a guard of a connection's chart is called with. */
interface Args {
  readonly context: { readonly link: object; readonly identity: Identity | undefined; readonly reason?: EndReason }
  readonly event: {
    readonly type: string
    readonly message?: unknown
    readonly output?: unknown
  }
  readonly self: AnyActorRef
}

const linkOf = ({ context }: Pick<Args, 'context'>): ConnectionLink => context.link as ConnectionLink

/** Marries the connection's chart, the built-in one or an application's, to sockets, sessions and messages. */
export function connectionLogic(core: Core, sessions: Sessions): LanedLogic {
  const machine: AnyStateMachine = core.options.connection ?? connectionMachine
  const timing = connectionTiming(core.settings, () => core.environment.clock.now())
  const provided = implement(machine, {
    actors: actors(core, sessions),
    actions: actions(core, sessions),
    guards: {
      ...timing.guards,
      hasCredentials: (args: Args) => hasCredentials(core, linkOf(args)),
      // Another guest is nobody to become.
      mayBecomeUser: ({ context, event }: Args) =>
        context.identity?.guest === true && (event.output as Identity).guest !== true,
      isOneTooMany: ({ context, event }: Args) => {
        const { id } = (event.output as Identity).user
        return context.identity?.guest === true && context.identity.user.id !== id && core.users.isFull(id)
      },
    },
    delays: timing.delays,
  } as never)
  const laned = withLanes(provided, { hot: ['socket.message'], ...core.lanes })
  const inboxOf = (snapshot: unknown): Inbox<Inbound> | undefined => linkOf(snapshot as Pick<Args, 'context'>).inbox
  return withApplicationMessages(
    withPopulation(laned, (snapshot) => inboxOf(snapshot)?.population),
    core,
  )
}

function hasCredentials({ options }: Core, { request }: ConnectionLink): boolean {
  if (request.protocol !== '') return false
  if (options.authenticate?.presents?.(request) === true) return true
  return request.token !== undefined || options.authenticate === undefined || options.guest !== undefined
}

function actors(core: Core, sessions: Sessions): object {
  return {
    authenticate: fromPromise<Identity, { link: object }>(async ({ input, signal }) => {
      const link = input.link as ConnectionLink
      const { request } = link
      const { token = request.token, resume } = link.hello ?? {}
      let identity: Identity
      try {
        identity = await identify(core, token, request, signal)
      } catch (error) {
        const reason = error instanceof AuthenticationError ? error.code : 'not-authenticated'
        core.refusals.note({ type: 'authentication.refused', reason, connection: link.address, error })
        throw error
      }
      await sessions.prepare(link, identity, resume)
      if (signal.aborted) sessions.abandon(link)
      else countUser(core, link, identity)
      return identity
    }),
    request: fromPromise<unknown, { link: object; type: string; data?: unknown; timeoutMs?: number }>(
      async ({ input: { link, type, data, timeoutMs }, signal }) =>
        (link as ConnectionLink).ask(core, applicationType(type), data, timeoutMs, signal),
    ),
    renew: fromPromise<Identity, { link: object; message: unknown }>(async ({ input, signal }) => {
      const { authenticate } = core.options
      const link = input.link as ConnectionLink
      const { id, token } = input.message as AuthMessage
      link.renewal = id
      if (authenticate === undefined) throw new Error('Nobody here checks credentials.')
      return asIdentity(await authenticate({ token, request: link.request }, { signal }))
    }),
    heartbeat: heartbeatLogic(core),
  }
}

/** Counts a connection among its user's, unless that would be one too many: then it is closed. */
function countUser(core: Core, link: ConnectionLink, identity: Identity): void {
  const { id } = link.claim?.claim.record.user ?? identity.user
  // One that continues a session takes the place of another.
  if (link.claim === undefined && core.users.isFull(id)) {
    core.refusals.note({ type: 'connection.refused', reason: 'user' })
    core.route(link.address, { type: 'connection.close', reason: 'limit-reached' } as never)
    throw new Error(`'${id}' has as many connections as one user may have.`)
  }
  core.users.enter(link, id)
}

async function identify(
  { options, environment }: Core,
  token: string | undefined,
  request: Parameters<NonNullable<Core['options']['guest']>>[0],
  signal: AbortSignal,
): Promise<Identity> {
  const presents = options.authenticate?.presents ?? (() => false)
  if (options.authenticate !== undefined && (token !== undefined || options.guest === undefined || presents(request))) {
    return asIdentity(await options.authenticate({ token, request }, { signal }))
  }
  const user = options.guest?.(request) ?? { id: `guest-${environment.newId()}` }
  return { ...asIdentity(user), guest: true }
}

/**
 * Takes what an application's function returned for an identity.
 *
 * @throws TypeError when there is no user's id in it: nobody is let in by mistake
 */
function asIdentity(answer: User | Identity): Identity {
  if (typeof answer !== 'object' || answer === null) {
    throw new TypeError(`authenticate must return { id } or { user: { id }, expiresAt }, not ${String(answer)}`)
  }
  const identity: Identity = 'id' in answer ? { user: answer } : answer
  if (typeof identity.user?.id !== 'string' || identity.user.id === '') {
    throw new TypeError('authenticate must return { id } or { user: { id }, expiresAt }')
  }
  if (identity.expiresAt !== undefined && !Number.isFinite(identity.expiresAt)) {
    throw new TypeError('expiresAt must be a time in ms since the epoch')
  }
  return identity
}

function heartbeatLogic(core: Core): LanedLogic {
  const { heartbeatMs, heartbeatTimeoutMs } = core.settings
  // Not for ever: behind a full inbox nobody would notice that the other side is gone.
  const unheard = ({ inbox }: ConnectionLink): boolean =>
    inbox?.pausedAt !== undefined && core.environment.clock.now() - inbox.pausedAt < heartbeatMs + heartbeatTimeoutMs
  const machine = implement(heartbeatMachine, {
    actions: {
      probe: ({ context }) => {
        const link = context.link as ConnectionLink
        link.receivedAtProbe = link.received
        link.socket.ping()
      },
    },
    guards: {
      heardMeanwhile: ({ context }) => {
        const link = context.link as ConnectionLink
        // While we do not read, its answer may be waiting.
        return link.received > link.receivedAtProbe || unheard(link)
      },
    },
    delays: { interval: heartbeatMs, patience: heartbeatTimeoutMs / 2 },
  })
  return withLanes(machine, { hot: [], ...core.lanes })
}

function actions(core: Core, sessions: Sessions): object {
  return {
    keepCredentials: (args: Args) => {
      linkOf(args).hello = args.event.message as HelloMessage
    },
    hold: (args: Args) => {
      if (!linkOf(args).hold(args.event)) args.self.send({ type: 'connection.close', reason: 'limit-reached' })
    },
    admit: (args: Args) => admit(core, sessions, linkOf(args), args.context.identity),
    runHeld: (args: Args) => {
      for (const event of linkOf(args).takeHeld()) args.self.send(event)
    },
    handleMessage: (args: Args) => handleMessage(core, linkOf(args), args.event.message as Inbound),
    resume: (args: Args) => takeOver(core, sessions, linkOf(args), args.event.message as HelloMessage),
    confirmIdentity: (args: Args) => {
      const { identity } = args.context
      const { user, expiresAt } = identity as Identity
      const id = linkOf(args).renewal
      linkOf(args).send({
        type: 'authenticated',
        user: user.id,
        ...(id === undefined ? {} : { id }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...remainingLife(identity, core.environment.clock.now()),
      })
      askAgain(core, linkOf(args))
      linkOf(args).inbox?.release()
    },
    suspend: (args: Args) => core.inboxOf(linkOf(args)).suspend(),
    becomeUser: (args: Args) => becomeUser(core, linkOf(args), args.event.output as Identity),
    refuseIdentity: (args: Args) => {
      const link = linkOf(args)
      const message = args.event.message as AuthMessage | undefined
      link.refuse('not-authenticated', message === undefined ? link.renewal : message.id)
    },
    refusePlace: (args: Args) => linkOf(args).refuse('overloaded', linkOf(args).renewal),
    sayGoodbye: (args: Args) => {
      const { reconnectAfterMs = 0 } = args.event as { reconnectAfterMs?: number }
      linkOf(args).send({ type: 'goodbye', reason: 'draining', reconnectAfter: reconnectAfterMs })
    },
    closeOutbox: (args: Args) => {
      linkOf(args).cancel()
      linkOf(args).outbox.close()
      // However long its socket takes to go: what it has used up counts from now on for whoever comes back.
      core.users.leave(linkOf(args))
    },
    discardOutbox: (args: Args) => linkOf(args).outbox.discard(),
    sendClose: (args: Args) => linkOf(args).close(args.context.reason ?? 'server-closing'),
    terminate: (args: Args) => linkOf(args).socket.terminate(),
    release: (args: Args) => {
      const reason = args.context.reason ?? 'socket-lost'
      release(core, sessions, linkOf(args), reason)
      core.telemetry({ type: 'connection.closed', connection: linkOf(args).address, reason })
    },
    send: (args: Args, { type, data }: { type: string; data?: unknown }) => {
      sendApplicationMessage(linkOf(args), type, data)
    },
    joinRoom: (args: Args, { room }: { room: string }) => {
      if (!isRoomName(room)) throw new RangeError(`'${room}' cannot be a room's name`)
      perform(core, linkOf(args), { type: 'join', room })
    },
    leaveRoom: (args: Args, { room }: { room: string }) => {
      perform(core, linkOf(args), { type: 'leave', room })
    },
    publish: (args: Args, { room, data }: { room: string; data: unknown }) => {
      perform(core, linkOf(args), { type: 'message', room, ...encodeData(data) })
    },
  }
}
