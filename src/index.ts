export { createRuntime, Runtime, type ListenOptions } from './create-runtime.ts'
export { connectionSetup } from '../machines/index.ts'
export type { ClientEvent, ConnectionContext, ConnectionEvent, ConnectionInput } from '../machines/index.ts'
export type { EndReason, Identity, User } from '../machines/index.ts'
export { RequestError, type DataIssue } from './protocol/index.ts'
export { memoryHistory } from './runtime/room/memory-history.ts'
export { memorySessions } from './runtime/session/memory-sessions.ts'
export type { Claim, SessionRecord, SessionStore } from './runtime/ports/session-store.ts'
export type { Eventually } from './runtime/ports/eventually.ts'
export { defineHandler } from './runtime/connection/handlers.ts'
export type { CheckedHandlerOptions, Connection, Handler, HandlerContext } from './runtime/connection/handlers.ts'
export type { HandlerOptions, Handlers } from './runtime/connection/handlers.ts'
export type { RequestOptions } from './runtime/connection/requests.ts'
export { systemEnvironment } from './runtime/ports/environment.ts'
export type { Inspect } from './runtime/actors/actor-system.ts'
export type { Frame } from './runtime/ports/frame.ts'
export { defineRoom } from './runtime/room/room-options.ts'
export type { Schema, SchemaOutput } from './runtime/ports/schema.ts'
export type { KeyedMessage, ResolvedRoomOptions, RoomOptions, SlowPolicy } from './runtime/room/room-options.ts'
export type { Authorize, Permission, PermissionQuestion, RoomAction } from './runtime/options.ts'
export type { AuthorizeDirect, DirectQuestion } from './runtime/options.ts'
export type { RuntimeOptions } from './runtime/options.ts'
export { AuthenticationError } from './runtime/ports/authenticate.ts'
export type { Authenticate, AuthenticationFailure, Credentials } from './runtime/ports/authenticate.ts'
export type { Clock, Environment } from './runtime/ports/environment.ts'
export type {
  Appended,
  History,
  HistoryLimits,
  LogEntry,
  LoggedRequest,
  LogPage,
  LogRecord,
  ReadBounds,
  Recovery,
  RoomLog,
} from './runtime/ports/history.ts'
export type { UserHandle } from './runtime/session/user-handle.ts'
export type { Census, DrainOptions } from './runtime/runtime.ts'
export type { RefusalCounts } from './runtime/refusals.ts'
export type { Refusal, Telemetry, TelemetryEvent } from './runtime/telemetry.ts'
export type {
  Acceptor,
  ConnectRequest,
  Refused,
  RefusedFor,
  SocketSink,
  TransportSocket,
} from './runtime/ports/transport.ts'
