import type { AnyActorLogic, AnyActorRef, AnyActorScope, EventObject, Snapshot } from 'xstate'
import { createChild, stopChild } from './actor-system.ts'

/** How a child's end is reported: by itself, or by an error. */
export interface PopulationListener {
  done(id: string): void
  crashed(id: string, error: unknown): void
}

/**
 * The children of one actor, in a Map: a machine that kept fifty thousand of them in its snapshot would copy the list
 * for each one that comes or goes.
 */
export class Population {
  readonly #children = new Map<string, AnyActorRef>()
  readonly #listener: PopulationListener

  constructor(listener: PopulationListener) {
    this.#listener = listener
  }

  get size(): number {
    return this.#children.size
  }

  get(id: string): AnyActorRef | undefined {
    return this.#children.get(id)
  }

  /** Creates a child; the caller starts it, once whatever refers to it is in place. */
  create(parent: AnyActorRef, logic: AnyActorLogic, id: string, src: string, input: unknown): AnyActorRef {
    if (this.#children.has(id)) throw new Error(`An actor lives at '${id}' already.`)
    const child = createChild(parent, logic, id, src, input)
    this.#children.set(id, child)
    return child
  }

  stop(id: string): void {
    const child = this.#children.get(id)
    if (child === undefined) return
    this.#children.delete(id)
    stopChild(child)
  }

  stopAll(): void {
    const children = [...this.#children.values()]
    this.#children.clear()
    for (const child of children) stopChild(child)
  }

  /** Takes an event that reports a child's end. False when it is not about one of these children. */
  hear(event: EventObject): boolean {
    const { actorId: id } = event as { actorId?: string }
    if (id === undefined || !this.#children.delete(id)) return false
    if (event.type.startsWith('xstate.error.')) this.#listener.crashed(id, (event as { error?: unknown }).error)
    else this.#listener.done(id)
    return true
  }
}

/**
 * Lets an actor have a {@link Population}: the ends of its children are heard before the machine (whose event types
 * stay a closed set), and the children end with their parent, however it ends.
 */
export function withPopulation<Logic extends AnyActorLogic>(
  logic: Logic,
  populationOf: (snapshot: Snapshot<unknown>) => Population | undefined,
): Logic {
  const parent = Object.create(logic) as Logic
  const transition = logic.transition as (s: Snapshot<unknown>, e: EventObject, c: AnyActorScope) => Snapshot<unknown>
  parent.transition = (snapshot: Snapshot<unknown>, event: EventObject, scope: AnyActorScope): Snapshot<unknown> => {
    if (event.type.startsWith('xstate.') && 'actorId' in event && populationOf(snapshot)?.hear(event) === true) {
      return snapshot
    }
    try {
      const next = transition(snapshot, event, scope)
      if (next.status !== 'active') populationOf(snapshot)?.stopAll()
      return next
    } catch (error) {
      populationOf(snapshot)?.stopAll()
      throw error
    }
  }
  return parent
}
