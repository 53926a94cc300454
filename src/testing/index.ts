export * from './virtual-clock.ts'
export * from './virtual-environment.ts'
export * from './arbitraries/schema-arbitrary.ts'
export * from './arbitraries/schema-error.ts'
export {
  type JsonSchema,
  type JsonSchemaObject,
  type SchemaSource,
  type StandardJsonSchema,
} from './arbitraries/schema-source.ts'
export * from './arbitraries/schema-violation.ts'
