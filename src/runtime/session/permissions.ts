import type { RoomAction } from '../options.ts'

/** What a session was allowed, by room: only what it has asked for, and only what was allowed. */
export class Permissions {
  readonly #rooms = new Map<string, Set<RoomAction>>()

  has(room: string, action: RoomAction): boolean {
    return this.#rooms.get(room)?.has(action) ?? false
  }

  add(room: string, action: RoomAction): void {
    const actions = this.#rooms.get(room)
    if (actions === undefined) this.#rooms.set(room, new Set([action]))
    else actions.add(action)
  }

  forget(room: string): void {
    this.#rooms.delete(room)
  }

  /** Forgets what was allowed in all other rooms: one can be lost without being left, or not be joined after all. */
  keepOnly(rooms: ReadonlyMap<string, unknown>): void {
    if (this.#rooms.size <= rooms.size) return
    for (const room of this.#rooms.keys()) if (!rooms.has(room)) this.#rooms.delete(room)
  }

  get size(): number {
    return this.#rooms.size
  }
}
