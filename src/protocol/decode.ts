import { decodeBinary } from './binary.ts'
import { dataTextOf } from './data-text.ts'
import { errorCodes, type ErrorCode } from './error-codes.ts'
import { protocolLimits } from './limits.ts'
import type {
  ApplicationMessage,
  ClientMessage,
  ProtocolErrorMessage,
  ReplyMessage,
  RequestId,
  ServerMessage,
} from './messages.ts'
import { isSafeMeta } from './meta-gate.ts'
import { isBounded, isObject } from './plain.ts'
import { isRoomName } from './room-name.ts'

/** What came of a frame: a message, or the `error` that its sender is to get. */
export type Decoded =
  | { readonly message: ClientMessage | ApplicationMessage; readonly error?: undefined }
  | { readonly message?: undefined; readonly error: ProtocolErrorMessage }

type Fields = Record<string, unknown>
/** Says what is wrong with a message's fields, or nothing when they are right. */
type Check = (fields: Fields) => ErrorCode | undefined

const hasRoom = (fields: Fields): ErrorCode | undefined => (isRoomName(fields['room']) ? undefined : 'bad-room-name')

// For requests to a room that one must be in already: whether the name is fit was settled when it was joined.
const namesRoom = (fields: Fields): ErrorCode | undefined =>
  typeof fields['room'] === 'string' ? undefined : 'bad-room-name'

const isPosition = (value: unknown): boolean =>
  hasOnly(value, ['epoch', 'offset']) &&
  isShortText(value['epoch'], protocolLimits.epochLength) &&
  Number.isSafeInteger(value['offset'])

const isClaim = (value: unknown): boolean =>
  hasOnly(value, ['session', 'secret', 'attempt']) &&
  typeof value['session'] === 'string' &&
  typeof value['secret'] === 'string' &&
  (value['attempt'] === undefined || Number.isSafeInteger(value['attempt']))

const isShortText = (value: unknown, limit: number): boolean => typeof value === 'string' && value.length <= limit

/** Whether it is an object; what else stands in it is taken out. */
function hasOnly(value: unknown, known: readonly string[]): value is Fields {
  if (!isObject(value)) return false
  for (const name in value) if (!known.includes(name)) delete value[name]
  return true
}

const optionalText = (value: unknown): boolean => value === undefined || typeof value === 'string'

const sendingOptions = ({ volatile, key }: Fields): ErrorCode | undefined => {
  if (volatile !== undefined && typeof volatile !== 'boolean') return 'bad-message'
  return key === undefined || isShortText(key, protocolLimits.keyLength) ? undefined : 'bad-message'
}

const contentFault = ({ data, meta }: Fields): ErrorCode | undefined => {
  if (data === undefined) return 'bad-message'
  if (!isBounded(data)) return 'bad-data'
  return meta === undefined || isSafeMeta(meta) ? undefined : 'bad-meta'
}

const checks: { readonly [type in ClientMessage['type']]: Check } = {
  hello: ({ token, resume }) => {
    if (!optionalText(token)) return 'bad-message'
    return resume === undefined || isClaim(resume) ? undefined : 'bad-message'
  },
  auth: ({ token }) => (typeof token === 'string' ? undefined : 'bad-message'),
  join: (fields) => {
    if (fields['since'] !== undefined && !isPosition(fields['since'])) return 'bad-message'
    return isBounded(fields['presence']) ? hasRoom(fields) : 'bad-data'
  },
  leave: namesRoom,
  message: (fields) => contentFault(fields) ?? sendingOptions(fields) ?? namesRoom(fields),
  direct: (fields) => contentFault(fields) ?? (typeof fields['to'] === 'string' ? undefined : 'bad-message'),
  presence: (fields) => {
    if (fields['state'] === undefined) return 'bad-message'
    return isBounded(fields['state']) ? namesRoom(fields) : 'bad-data'
  },
  typing: (fields) => (typeof fields['typing'] === 'boolean' ? namesRoom(fields) : 'bad-message'),
  history: (fields) => {
    const { before, limit } = fields
    if (before !== undefined && !Number.isSafeInteger(before)) return 'bad-message'
    if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) > 0)) return 'bad-message'
    return namesRoom(fields)
  },
  ping: () => undefined,
  reply: ({ id }) => (id === undefined ? 'bad-message' : undefined),
}

const checkOf = new Map<string, Check>(Object.entries(checks))

/** What a message may hold beside `type` and `id`. All else is left out: nobody has checked how large or deep it is. */
const fieldsOf: { readonly [type in ClientMessage['type']]: readonly string[] } = {
  hello: ['token', 'resume'],
  auth: ['token'],
  join: ['room', 'presence', 'since'],
  leave: ['room'],
  message: ['room', 'data', 'meta', 'volatile', 'key'],
  direct: ['to', 'data', 'meta'],
  presence: ['room', 'state'],
  typing: ['room', 'typing'],
  history: ['room', 'before', 'limit'],
  ping: [],
  reply: ['data', 'meta'],
}
const knownFields = new Map(
  Object.entries(fieldsOf).map(([type, names]) => [type, new Set(['type', 'id', ...names])] as const),
)

function withoutStrangers(type: string, fields: Fields): Fields {
  const known = knownFields.get(type)
  for (const name in fields) {
    if (known?.has(name) === true) continue
    return Object.fromEntries(Object.entries(fields).filter(([other]) => known?.has(other)))
  }
  return fields
}

/**
 * Reads one text frame from a client. Never throws, whatever the text.
 *
 * Fields that only the server may set (`from`, `at`, `offset`) are not looked at; unknown fields are ignored.
 *
 * @param applicationTypes - message types of the application's own, beside the protocol's
 */
export function decodeClientMessage(text: string, applicationTypes?: ReadonlySet<string>): Decoded {
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch {
    return { error: errorMessage('bad-json') }
  }
  if (!isObject(fields)) return { error: errorMessage('bad-message') }
  const { id, type } = fields
  if (id !== undefined && !isRequestId(id)) return { error: errorMessage('bad-message') }
  if (typeof type !== 'string') return { error: errorMessage('bad-message', id) }
  if (type === 'error') return id === undefined ? { error: errorMessage('bad-message') } : decodeFailure(fields, id)
  if (type === 'reply' && id !== undefined) return decodeReply(fields, id)
  const check = checkOf.get(type)
  if (check === undefined) return decodeApplicationMessage(type, fields, id, applicationTypes)
  const code = check(fields)
  if (code !== undefined) return { error: errorMessage(code, id, fields['room']) }
  const message = withoutStrangers(type, fields)
  if (type === 'message' || type === 'direct') message['dataText'] = dataTextOf(text)
  return { message: message as unknown as ClientMessage }
}

/**
 * Reads one binary frame from a client: a `message` whose header has no `data` and whose bytes follow it. Never throws.
 */
export function decodeClientBinary(frame: Uint8Array): Decoded {
  const parts = decodeBinary(frame)
  if (parts === undefined) return { error: errorMessage('bad-message') }
  let fields: unknown
  try {
    fields = JSON.parse(parts.header)
  } catch {
    return { error: errorMessage('bad-json') }
  }
  if (!isObject(fields)) return { error: errorMessage('bad-message') }
  const { id, type, room } = fields
  if (id !== undefined && !isRequestId(id)) return { error: errorMessage('bad-message') }
  if (typeof type !== 'string') return { error: errorMessage('bad-message', id) }
  if (type !== 'message') return { error: errorMessage('unknown-type', id) }
  if (typeof room !== 'string') return { error: errorMessage('bad-room-name', id) }
  const code = sendingOptions(fields)
  if (code !== undefined) return { error: errorMessage(code, id, room) }
  const { volatile, key } = fields as { volatile?: boolean; key?: string }
  return {
    message: {
      type,
      room,
      data: null,
      bytes: parts.bytes,
      ...(id === undefined ? {} : { id }),
      ...(volatile === undefined ? {} : { volatile }),
      ...(key === undefined ? {} : { key }),
    },
  }
}

/** A client's `reply`. One that cannot be taken is a failure of the request: the id is the server's, not the client's. */
function decodeReply(fields: Fields, id: RequestId): Decoded {
  const { data, meta } = fields as Pick<ReplyMessage, 'data' | 'meta'>
  const fault = !isBounded(data) ? 'bad-data' : meta === undefined || isSafeMeta(meta) ? undefined : 'bad-meta'
  if (fault !== undefined) {
    return { message: { type: 'reply', id, error: { code: fault, message: errorCodes[fault] } } }
  }
  return {
    message: { type: 'reply', id, ...(data === undefined ? {} : { data }), ...(meta === undefined ? {} : { meta }) },
  }
}

/** A client's `error`: the reply to a request of the server's that it could not fulfil. */
function decodeFailure({ code, message }: Fields, id: RequestId): Decoded {
  const error = {
    code: typeof code === 'string' ? code.slice(0, protocolLimits.idLength) : 'internal',
    message: typeof message === 'string' ? message.slice(0, 1_000) : '',
  }
  return { message: { type: 'reply', id, error } }
}

function decodeApplicationMessage(
  name: string,
  fields: Fields,
  id: RequestId | undefined,
  known: ReadonlySet<string> | undefined,
): Decoded {
  if (known === undefined || !known.has(name)) return { error: errorMessage('unknown-type', id) }
  if (!isBounded(fields['data'])) return { error: errorMessage('bad-data', id) }
  if (fields['meta'] !== undefined && !isSafeMeta(fields['meta'])) return { error: errorMessage('bad-meta', id) }
  const { data, meta } = fields as Pick<ApplicationMessage, 'data' | 'meta'>
  return {
    message: {
      type: 'application',
      name,
      ...(id === undefined ? {} : { id }),
      ...(data === undefined ? {} : { data }),
      ...(meta === undefined ? {} : { meta }),
    },
  }
}

/** The types of message that only the server sends. */
const serverTypes = new Set<string>([
  'welcome',
  'authenticated',
  'joined',
  'left',
  'ack',
  'skipped',
  'goodbye',
  'pong',
  'error',
] satisfies ServerMessage['type'][])

/** Whether messages of this type are the protocol's own: an application's are called otherwise. */
export function isProtocolType(type: string): boolean {
  return checkOf.has(type) || serverTypes.has(type)
}

/** Whether a value may be a request's id: text of 1 to 64 characters, or a safe integer. */
export function isRequestId(value: unknown): value is RequestId {
  if (typeof value === 'string') return value.length > 0 && value.length <= protocolLimits.idLength
  return Number.isSafeInteger(value)
}

/** The `error` for a request that failed. A room that could not be a room's name is not repeated. */
export function errorMessage(code: ErrorCode, id?: RequestId, room?: unknown): ProtocolErrorMessage {
  return {
    type: 'error',
    code,
    message: errorCodes[code],
    ...(id === undefined ? {} : { id }),
    ...(isRoomName(room) ? { room } : {}),
  }
}
