import type { AnyStateMachine } from 'xstate'
import type { User } from '../../machines/index.ts'
import type { Inspect } from './actors/actor-system.ts'
import type { Authenticate } from './ports/authenticate.ts'
import type { Environment } from './ports/environment.ts'
import type { Handlers } from './connection/handlers.ts'
import type { History } from './ports/history.ts'
import type { SessionStore } from './ports/session-store.ts'
import type { Schema } from './ports/schema.ts'
import type { RoomOptions } from './room/room-options.ts'
import type { Telemetry } from './telemetry.ts'
import type { ConnectRequest } from './ports/transport.ts'

/** Something that a user may be allowed to do in a room. Typing belongs to `publish`. */
export type RoomAction = 'join' | 'publish' | 'presence' | 'history'

/** What {@link Authorize} is asked. */
export interface PermissionQuestion {
  readonly user: User
  readonly session: string
  readonly action: RoomAction
  /** The name that the client says; it need not be that of a room that there is. */
  readonly room: string
  /** What the answer to `join` has made of the user in this room, if it was a role. */
  readonly role: string | undefined
  /** Whether nobody vouches for the user. */
  readonly guest: boolean
}

/** Decides what somebody may do; `signal` is aborted when they have gone meanwhile, or the time is up. */
export type Authorize = (
  question: PermissionQuestion,
  context: { readonly signal: AbortSignal },
) => Permission | Promise<Permission>

/**
 * Yes, no, or for `join` yes and as what: the members of a room see each other's roles. A role is 1 to 32 characters, and
 * `owner`, `moderator`, `member` and `guest` are what most call theirs.
 */
export type Permission = boolean | { readonly role: string }

/** What {@link AuthorizeDirect} is asked. */
export interface DirectQuestion {
  readonly user: User
  readonly session: string
  /** Whether nobody vouches for the user. */
  readonly guest: boolean
  /** The id of the user whom the message is for. It is what the sender says; there need be no such user. */
  readonly to: string
}

/** Decides who may write to whom; `signal` as for {@link Authorize}. */
export type AuthorizeDirect = (
  question: DirectQuestion,
  context: { readonly signal: AbortSignal },
) => boolean | Promise<boolean>

/** What `createRuntime` takes. Everything has a default. */
export interface RuntimeOptions {
  /**
   * Who somebody is. Without it everybody is let in, each session as a user of its own.
   */
  readonly authenticate?: Authenticate
  /**
   * Who somebody without credentials is. Without it, credentials are required as soon as `authenticate` is given.
   */
  readonly guest?: (request: ConnectRequest) => User
  /**
   * What somebody may do in a room. Without it everybody may do everything. The session's next messages wait for the
   * answer. A yes is remembered until the user's credentials are renewed, the client has reconnected, or the room has
   * been left; a member who then may be in the room no more is taken out of it. What a connection machine of your own
   * does in a room is not asked about. Anything but `true` and `{ role }` is a no; what it throws is reported, and
   * answered `internal`.
   */
  readonly authorize?: Authorize
  /**
   * Who may send messages to which users directly. Without it nobody may: a room is joined by choice, and this is not. Asked
   * for each message. Anything but `true` is a no, which reads the same whether there is such a user or not; what it
   * throws is reported, and answered `internal`.
   */
  readonly authorizeDirect?: AuthorizeDirect
  /**
   * Rooms by name. A pattern is a name, or a beginning followed by `*`; the longest that matches counts.
   */
  readonly rooms?: Readonly<Record<string, RoomOptions>>
  /**
   * From which pages browsers may connect: exact origins, such as `https://example.org`, with `'missing'` among them for
   * those who name none, as others than browsers do; or `'any'`. Others are refused with 403.
   *
   * @default pages of the host that the request is for, and those who name none
   */
  readonly origins?: 'any' | readonly string[]
  /**
   * Proxies whose `X-Forwarded-For` is believed: addresses, and networks such as `10.0.0.0/8`.
   *
   * @default none
   */
  readonly trustedProxies?: readonly string[]
  /** A connection machine of your own, made with `connectionSetup`. */
  readonly connection?: AnyStateMachine
  /** An XState inspection observer for the whole system. While there is one, fast lanes are off. */
  readonly inspect?: Inspect
  /** Hears what happens: crashes, restarts, endings. The library itself logs nothing. */
  readonly telemetry?: Telemetry
  /** What answers clients' requests (`client.request`), by their type. */
  readonly handlers?: Handlers
  /**
   * What messages for a connection machine of your own must fit, by their type: a schema that speaks Standard Schema. The
   * machine's event has what the schema has made of the data, and what does not fit is answered `invalid-data`.
   */
  readonly messageSchemas?: Readonly<Record<string, Schema>>
  /** Where rooms' logs live. @default in memory */
  readonly history?: History
  /** Where sessions live. @default in memory: they end with the process */
  readonly sessions?: SessionStore
  /** Time, randomness and ids. @default the system's */
  readonly environment?: Environment

  /** Silence after which a connection is probed (ms). @default 25_000 */
  readonly heartbeatMs?: number
  /** How long a probed connection has to answer (ms). @default 10_000 */
  readonly heartbeatTimeoutMs?: number
  /** How long a connection may take to present credentials, and their check to be done (ms each). @default 10_000 */
  readonly credentialsTimeoutMs?: number
  /** How long an expired token may take to be renewed (ms). @default 25_000 */
  readonly renewalGraceMs?: number
  /** How long a session waits for its client to come back (ms). @default 120_000 */
  readonly resumeWindowMs?: number
  /** How long others are shown no difference when a client is gone (ms). @default 15_000 */
  readonly presenceGraceMs?: number
  /** Silence after which somebody has stopped typing (ms). @default 3_000 */
  readonly typingMs?: number
  /** How long a room without members keeps its log (ms). @default 300_000 */
  readonly roomLingerMs?: number
  /** How long the history may take to open a room's log (ms). @default 10_000 */
  readonly roomOpenTimeoutMs?: number
  /** How long a session's requests are remembered after the last of them (ms). @default 300_000 */
  readonly idempotencyMs?: number
  /** How long a handler may take (ms); longer is answered `timeout`, and its signal fires. @default 30_000 */
  readonly handlerTimeoutMs?: number
  /** How long a client may take to answer a request of the server's (ms). @default 30_000 */
  readonly requestTimeoutMs?: number
  /** How long a client that was told to go may take to finish what it has begun (ms). @default 1_000 */
  readonly goodbyeGraceMs?: number
  /** How often members of a room that tells counts only are told, at most (ms). @default 1_000 */
  readonly presenceCountIntervalMs?: number
  /** How long a close handshake may take (ms). @default 5_000 */
  readonly closeTimeoutMs?: number
  /** How long `close()` waits for connections to go, and `drain()` takes at most (ms). @default 30_000 */
  readonly drainMs?: number
  /** The period in which restarts and failures of rooms count (ms). @default 10_000 */
  readonly restartPeriodMs?: number

  /** Largest frame taken (bytes). @default 65_536 */
  readonly frameBytes?: number
  /** What may wait to be sent to one connection (bytes). @default 1_048_576 */
  readonly outboxBytes?: number
  /**
   * What may wait for all slow readers together (bytes); what waits for several counts once. Beyond it the slowest are
   * closed with 4208.
   *
   * @default 268_435_456
   */
  readonly outboxTotalBytes?: number
  /**
   * What may be held for clients beside outboxes and logs, all of it together (bytes): presence states, replies that are
   * remembered, what waits behind handlers and for logs. Beyond it presence is answered `overloaded`, what waits for a log
   * `storage-failed`, connections are not read while something waits, and replies are not remembered.
   *
   * @default 268_435_456
   */
  readonly heldTotalBytes?: number
  /** What may wait behind a handler before its connection is read no more (bytes). @default 262_144 */
  readonly inboxBytes?: number
  /** What may wait in a room for its log, to be opened or to be written (bytes). @default 8_388_608 */
  readonly roomBacklogBytes?: number
  /** Replies remembered for each session, in case a request is asked again (bytes). @default 65_536 */
  readonly replyCacheBytes?: number
  /** Largest presence state, as JSON (bytes). @default 2_048 */
  readonly presenceBytes?: number

  /** What one connection may send, sustained (bytes each second). @default 1_048_576 */
  readonly bytesPerSecond?: number
  /** … and at once, after it was quiet (bytes). @default 16_777_216 */
  readonly bytesBurst?: number
  /** What one user may send by all connections together, sustained (bytes each second). @default 4_194_304 */
  readonly userBytesPerSecond?: number
  /** … and at once (bytes). @default 67_108_864 */
  readonly userBytesBurst?: number

  /** Data replayed at most in one answer (characters of JSON); whoever missed more is told so. @default 2_097_152 */
  readonly replayBytes?: number
  /** What all logs in memory may hold together (characters of JSON); the quietest logs go first. @default 67_108_864 */
  readonly historyBytes?: number

  /**
   * Messages that one connection may send each second, sustained. Beyond it each is answered `rate-limited` and not
   * acted upon; who goes on is closed with 4229. `Infinity` for no limit.
   *
   * @default 100
   */
  readonly messagesPerSecond?: number
  /** … and at once, after it was quiet. @default 1_000 */
  readonly messageBurst?: number
  /** Messages that one user may send by all connections together, sustained. @default 500 */
  readonly userMessagesPerSecond?: number
  /** … and at once. @default 5_000 */
  readonly userMessageBurst?: number
  /** Messages answered `rate-limited` at once, before the connection is closed; ten more each second. @default 100 */
  readonly refusalBurst?: number
  /** Messages in a row that cannot be read, before the connection is closed with 4213. @default 100 */
  readonly malformedCount?: number
  /** Connections in all. More are refused with 503 before they are upgraded. @default 100_000 */
  readonly connectionsTotal?: number
  /** … of one address, for IPv6 of one /64 network. More are refused with 429. @default 100 */
  readonly connectionsPerAddress?: number
  /** … that have not been welcomed yet. More are refused with 503. @default 1_000 */
  readonly unauthenticatedConnections?: number
  /** Upgrades taken each second, sustained. More are refused with 503. @default 1_000 */
  readonly upgradesPerSecond?: number
  /** … and at once, after it was quiet. @default 2_000 */
  readonly upgradeBurst?: number
  /** Connections of one user at once. @default 100 */
  readonly connectionsPerUser?: number
  /** Sessions that wait for their clients, in all: of more the longest waiting end. @default 100_000 */
  readonly detachedSessions?: number
  /** … of one user. @default 100 */
  readonly detachedSessionsPerUser?: number
  /**
   * Rooms in all. For one more that room is given up which nobody has been in for longest, or, where somebody is in
   * each, the join is answered `room-unavailable`.
   *
   * @default 100_000
   */
  readonly roomsTotal?: number
  /** Rooms one session may be in. @default 100 */
  readonly roomsPerSession?: number
  /** Messages replayed at most to somebody who comes back. @default 300 */
  readonly replayCount?: number
  /** Requests whose ids a room remembers of each session. @default 256 */
  readonly idempotencyCount?: number
  /** Messages that may wait behind a handler before its connection is read no more. @default 256 */
  readonly inboxCount?: number
  /** Handlers of one connection that may be at work at once, those that are `concurrent`. @default 16 */
  readonly handlerConcurrency?: number
  /** Requests whose replies are remembered for each session. @default 64 */
  readonly replyCacheCount?: number
  /** Clients told to go each second when a drain has time enough. @default 500 */
  readonly drainPerSecond?: number
  /** Restarts of one room within the period, after which it is given up. @default 3 */
  readonly roomRestartIntensity?: number
  /** Restarts in all within the period, after which the runtime gives up. @default 1_000 */
  readonly restartIntensity?: number
}

const numbers = {
  heartbeatMs: 25_000,
  heartbeatTimeoutMs: 10_000,
  credentialsTimeoutMs: 10_000,
  renewalGraceMs: 25_000,
  resumeWindowMs: 120_000,
  presenceGraceMs: 15_000,
  typingMs: 3_000,
  roomLingerMs: 300_000,
  roomOpenTimeoutMs: 10_000,
  idempotencyMs: 300_000,
  handlerTimeoutMs: 30_000,
  requestTimeoutMs: 30_000,
  goodbyeGraceMs: 1_000,
  presenceCountIntervalMs: 1_000,
  closeTimeoutMs: 5_000,
  drainMs: 30_000,
  restartPeriodMs: 10_000,
  frameBytes: 65_536,
  outboxBytes: 1_048_576,
  outboxTotalBytes: 268_435_456,
  heldTotalBytes: 268_435_456,
  inboxBytes: 262_144,
  roomBacklogBytes: 8_388_608,
  replyCacheBytes: 65_536,
  presenceBytes: 2_048,
  bytesPerSecond: 1_048_576,
  bytesBurst: 16_777_216,
  userBytesPerSecond: 4_194_304,
  userBytesBurst: 67_108_864,
  replayBytes: 2_097_152,
  historyBytes: 67_108_864,
  messagesPerSecond: 100,
  messageBurst: 1_000,
  userMessagesPerSecond: 500,
  userMessageBurst: 5_000,
  refusalBurst: 100,
  malformedCount: 100,
  connectionsTotal: 100_000,
  connectionsPerAddress: 100,
  unauthenticatedConnections: 1_000,
  upgradesPerSecond: 1_000,
  upgradeBurst: 2_000,
  connectionsPerUser: 100,
  detachedSessions: 100_000,
  detachedSessionsPerUser: 100,
  roomsTotal: 100_000,
  roomsPerSession: 100,
  replayCount: 300,
  idempotencyCount: 256,
  inboxCount: 256,
  handlerConcurrency: 16,
  replyCacheCount: 64,
  drainPerSecond: 500,
  roomRestartIntensity: 3,
  restartIntensity: 1_000,
}

const others = new Set([
  'authenticate',
  'guest',
  'authorize',
  'authorizeDirect',
  'rooms',
  'origins',
  'trustedProxies',
  'connection',
  'inspect',
  'telemetry',
  'handlers',
  'messageSchemas',
  'history',
  'sessions',
  'environment',
])

/** The numeric options, each filled in. */
export type Settings = Readonly<typeof numbers>

/**
 * Fills in the defaults.
 *
 * @throws RangeError when a number is negative or not a number, or an option is not known
 */
export function resolveSettings(options: RuntimeOptions): Settings {
  const settings = { ...numbers }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(numbers, name) && !others.has(name)) throw new RangeError(`There is no option '${name}'.`)
  }
  for (const name of Object.keys(numbers) as (keyof Settings)[]) {
    const value = options[name]
    if (value === undefined) continue
    if (typeof value !== 'number' || !(value >= 0))
      throw new RangeError(
        `${name} must be a number ≥ 0, not ${typeof value === 'string' ? `'${value}'` : String(value)}`,
      )
    settings[name] = value
  }
  // The transport takes it for a 32-bit integer, and 0 for no limit at all.
  if (!Number.isInteger(settings.frameBytes) || settings.frameBytes < 1 || settings.frameBytes >= 2 ** 31) {
    throw new RangeError(`frameBytes must be an integer from 1 to 2147483647, not ${settings.frameBytes}`)
  }
  return settings
}
