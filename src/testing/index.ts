export * from './virtual-clock.ts'
export * from './virtual-environment.ts'
export * from './arbitraries/binary-messages.ts'
export { type DataSource } from './arbitraries/data-arbitraries.ts'
export { type HostileAnswer, type HostileFrame } from './arbitraries/hostile-frame.ts'
export * from './arbitraries/hostile-frames.ts'
export {
  messageArbitraries,
  type MessageArbitraries,
  type MessageSources,
  type OwnMessage,
} from './arbitraries/message-arbitraries.ts'
export { type RoomSource } from './arbitraries/room-arbitraries.ts'
export * from './arbitraries/schema-arbitrary.ts'
export * from './arbitraries/schema-error.ts'
export {
  type JsonSchema,
  type JsonSchemaObject,
  type SchemaSource,
  type StandardJsonSchema,
} from './arbitraries/schema-source.ts'
export * from './arbitraries/schema-violation.ts'
