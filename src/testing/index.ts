export * from './virtual-clock.ts'
export * from './virtual-environment.ts'
