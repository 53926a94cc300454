import type { RuntimeOptions } from 'greenroom'
import type { Fault, Tap, Wire } from './fault.ts'

/** A server that is wrong in one thing, and the rule that is to name it. */
export interface WrongServer {
  readonly does: string
  readonly rule: string
  readonly options?: RuntimeOptions
  readonly fault: () => Fault
}

/** Does something with messages of one type, and leaves the others as they are. */
export const on =
  (type: string, alter: (message: Wire, tap: Tap) => readonly Wire[]): NonNullable<Fault['out']> =>
  (message, tap) =>
    message.type === type ? alter(message, tap) : [message]

/** A message without some of its fields. */
export const without = (message: Wire, ...names: readonly string[]): Wire =>
  Object.fromEntries(Object.entries(message).filter(([name]) => !names.includes(name))) as unknown as Wire

/** The sockets of a room's members. */
export const membersIn = (tap: Tap, room: unknown): Tap[] => [...tap.others].filter(({ rooms }) => rooms.has(room))
