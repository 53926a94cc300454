import {
  createActor,
  StateMachine,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyStateMachine,
  type InspectionEvent,
  type Observer,
} from 'xstate'
import type { Clock } from '../ports/environment.ts'

/**
 * The only file that leans on what XState offers by type but does not document: the `parent` option of `createActor`,
 * the replaceable `system.scheduler`, and stopping a child from outside its parent's transition.
 */

/** An observer of everything that happens in a system, as for XState's own `inspect` option. */
export type Inspect = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

type System = AnyActorRef['system']

interface PendingEvent {
  timer: unknown
  readonly id: string
  next: PendingEvent | undefined
}

/**
 * Creates the root actor of a system. Its timers are indexed by actor, so an actor that ends costs what it had set.
 *
 * @param inspect - told of every event in the system, the root's creation included; must not throw
 */
export function createRoot(
  logic: AnyActorLogic,
  clock: Clock,
  input: unknown,
  inspect?: (event: InspectionEvent) => void,
): AnyActorRef {
  const options = { input, clock: xstateClock(clock), id: 'supervisor', ...(inspect === undefined ? {} : { inspect }) }
  const root: AnyActorRef = createActor(logic, options as never)
  indexTimers(root.system, clock)
  return root
}

/**
 * A machine with its actions, guards, delays and actors: what `machine.provide` returns, but for the states, which are
 * one and the same for all. XState builds them anew each time, which costs 140 µs and 17 KB, and what it remembers of
 * them (which transitions answer an event, which delays they set) it has to find out anew as well.
 */
export function implement<Machine extends AnyStateMachine>(
  machine: Machine,
  implementations: Parameters<Machine['provide']>[0],
): Machine {
  const own: Record<string, object> = {}
  for (const [kind, known] of Object.entries(machine.implementations)) {
    own[kind] = { ...(known as object), ...(implementations as Record<string, object | undefined>)[kind] }
  }
  const implemented = Object.create(machine, { implementations: { value: own } }) as Machine
  // The machine's constructor has bound these to the machine.
  for (const name of [
    'transition',
    'getInitialSnapshot',
    'getPersistedSnapshot',
    'restoreSnapshot',
    'start',
  ] as const) {
    const method = StateMachine.prototype[name] as (this: Machine, ...args: never) => unknown
    Object.defineProperty(implemented, name, { value: method.bind(implemented), writable: true })
  }
  return implemented
}

/** Creates a child of an actor without its parent having to copy a list of children. */
export function createChild(
  parent: AnyActorRef,
  logic: AnyActorLogic,
  id: string,
  src: string,
  input: unknown,
): AnyActorRef {
  return createActor(logic, { parent, id, src, input } as never) as AnyActorRef
}

/** Stops an actor that {@link createChild} made. Neither it nor its parent is asked, and no exit action runs. */
export function stopChild(child: AnyActorRef): void {
  ;(child as unknown as { _stop(): void })._stop()
}

/** Sends an actor an event after a while, unless it has ended by then; a later call under the same id takes its place. */
export function sendLater(actor: AnyActorRef, event: { readonly type: string }, delayMs: number, id: string): void {
  actor.system.scheduler.schedule(actor, actor, event, delayMs, id)
}

/** Takes back what {@link sendLater} has not sent yet. */
export function cancelLater(actor: AnyActorRef, id: string): void {
  actor.system.scheduler.cancel(actor, id)
}

/** Calls an application's observer such that what it throws is reported instead of ending the process. */
export function guardInspect(inspect: Inspect, onThrow: (error: unknown) => void): (event: InspectionEvent) => void {
  const next = typeof inspect === 'function' ? inspect : inspect.next?.bind(inspect)
  return (event) => {
    try {
      next?.(event)
    } catch (error) {
      onThrow(error)
    }
  }
}

function xstateClock(clock: Clock): {
  setTimeout(fn: () => void, ms: number): unknown
  clearTimeout(id: unknown): void
} {
  return {
    setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
    clearTimeout: (id) => {
      clock.clearTimeout(id)
    },
  }
}

/**
 * XState keeps all delayed events of a system in one record and walks it whenever an actor stops; with 50,000
 * connections one disconnect would cost 20 ms. Here each actor has a list of its own.
 */
function indexTimers(system: System, clock: Clock): void {
  const pending = new Map<AnyActorRef, PendingEvent>()
  let anonymous = 0

  const forget = (source: AnyActorRef, id: string): PendingEvent | undefined => {
    let previous: PendingEvent | undefined
    for (let entry = pending.get(source); entry !== undefined; entry = entry.next) {
      if (entry.id === id) {
        if (previous !== undefined) previous.next = entry.next
        else if (entry.next !== undefined) pending.set(source, entry.next)
        else pending.delete(source)
        return entry
      }
      previous = entry
    }
    return undefined
  }

  const cancel = (source: AnyActorRef, id: string): void => {
    const entry = forget(source, id)
    if (entry !== undefined) clock.clearTimeout(entry.timer)
  }

  system.scheduler = {
    schedule: (source, target, event, delay, id = `anonymous:${++anonymous}`) => {
      if (delay === Infinity) return
      cancel(source, id)
      const entry: PendingEvent = { timer: undefined, id, next: pending.get(source) }
      pending.set(source, entry)
      entry.timer = clock.setTimeout(() => {
        forget(source, id)
        ;(system as unknown as { _relay(from: AnyActorRef, to: AnyActorRef, event: unknown): void })._relay(
          source,
          target,
          event,
        )
      }, delay)
    },
    cancel,
    cancelAll: (source) => {
      for (let entry = pending.get(source); entry !== undefined; entry = entry.next) clock.clearTimeout(entry.timer)
      pending.delete(source)
    },
  }
}
