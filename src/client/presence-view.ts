import type { Json, Member, PresenceMessage } from '../protocol/index.ts'
import { Emitter } from './emitter.ts'

/** Who is in a room, kept up to date: a readable that UI libraries can subscribe to. */
export class PresenceView {
  readonly #changes = new Emitter<{ change: readonly Member[] }>()
  readonly #announce: (state: Json) => Promise<void>
  readonly #members = new Map<string, Member>()
  #list: readonly Member[] = []

  constructor(announce: (state: Json) => Promise<void>) {
    this.#announce = announce
  }

  /** Everybody who is here, each user once. The same array until something changes. */
  get(): readonly Member[] {
    return this.#list
  }

  /** Calls at once with who is here, and again on each change. Returns what ends it. */
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
  replace(members: readonly Member[]): void {
    this.#members.clear()
    for (const member of members) this.#members.set(member.user, member)
    this.#publish()
  }

  /** @internal */
  apply({ joined = [], updated = [], left = [] }: PresenceMessage): void {
    for (const member of [...joined, ...updated]) this.#members.set(member.user, member)
    for (const user of left) this.#members.delete(user)
    this.#publish()
  }

  #publish(): void {
    this.#list = [...this.#members.values()]
    this.#changes.emit('change', this.#list)
  }
}
