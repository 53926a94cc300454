export { createRuntime, Runtime, type ListenOptions } from './create-runtime.ts'
export { connectionSetup } from '../machines/index.ts'
export type { ClientEvent, ConnectionContext, ConnectionEvent, ConnectionInput } from '../machines/index.ts'
export type { EndReason, Identity, User } from '../machines/index.ts'
export { memoryHistory } from './runtime/history.ts'
export { systemEnvironment } from './runtime/environment.ts'
export type { Inspect } from './runtime/actor-system.ts'
export type { Frame } from './runtime/frame.ts'
export { defineRoom } from './runtime/options.ts'
export type { Authenticate, Credentials, RoomOptions, RuntimeOptions } from './runtime/options.ts'
export type { Clock, Environment } from './runtime/environment.ts'
export type {
  History,
  HistoryLimits,
  LogEntry,
  LoggedRequest,
  LogRecord,
  Recovery,
  RoomLog,
} from './runtime/history.ts'
export type { Census } from './runtime/runtime.ts'
export type { Telemetry, TelemetryEvent } from './runtime/telemetry.ts'
export type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from './runtime/transport.ts'
