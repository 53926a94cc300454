import type { Json, Member, PresenceMessage } from '../protocol/index.ts'
import { Emitter } from './emitter.ts'

/** Who is in a room, kept up to date: a readable that UI libraries can subscribe to. */
export class PresenceView {
  readonly #changes = new Emitter<{ change: readonly Member[] }>()
  readonly #announce: (state: Json) => Promise<void>
  readonly #members = new Map<string, Member>()
  #list: readonly Member[] = []
  #count: number | undefined

  constructor(announce: (state: Json) => Promise<void>) {
    this.#announce = announce
  }

  /**
   * Everybody who is here, each user once. The same array until something changes. Empty in a room that only says how
   * many there are.
   */
  get(): readonly Member[] {
    return this.#list
  }

  /** How many users are here, also in a room that does not say who. */
  get count(): number {
    return this.#count ?? this.#list.length
  }

  /** Calls at once with who is here, and again on each change of that or of `count`. Returns what ends it. */
  subscribe(listener: (members: readonly Member[]) => void): () => void {
    const unsubscribe = this.#changes.on('change', listener)
    listener(this.#list)
    return unsubscribe
  }

  /** Says something new of oneself: plain JSON, shown to everybody in the room. */
  update(state: Json): Promise<void> {
    return this.#announce(state)
  }

  /** @internal */
  replace(members: readonly Member[], count: number | undefined): void {
    this.#members.clear()
    this.#count = undefined
    this.#apply(members, [], count)
  }

  /** @internal */
  apply({ joined = [], updated = [], left = [], count }: PresenceMessage): void {
    this.#apply([...joined, ...updated], left, count)
  }

  #apply(here: readonly Member[], left: readonly string[], count = this.#count): void {
    for (const member of here) this.#members.set(member.user, member)
    for (const user of left) this.#members.delete(user)
    this.#count = count
    this.#list = [...this.#members.values()]
    this.#changes.emit('change', this.#list)
  }
}
