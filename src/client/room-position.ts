import type { Position } from '../protocol/index.ts'

/** `next` is to be told, `seen` has been, and before a `gap` something is missing. */
export type Placed = 'next' | 'seen' | 'gap'

/**
 * How far a room's log has come to us. Two numbers: the last offset that was shown, and the one up to which nothing is
 * missing. They differ when the server has left messages out and says so (`skipped`): what it kept of them comes after
 * that notice, under older offsets.
 */
export class RoomPosition {
  #epoch: string | undefined
  #shown = 0
  #accounted = 0

  /**
   * From where to ask for what was missed; undefined before the first `joined`. It is what was shown and not what is
   * accounted for: a connection may be lost between a `skipped` and the messages that it announces.
   */
  get since(): Position | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, offset: this.#shown }
  }

  /** Takes a live message. */
  take({ epoch, offset }: Position): Placed {
    // Asked this way round, an offset that is no number is a gap, too.
    if (epoch !== this.#epoch || !(offset <= this.#accounted + 1)) return 'gap'
    if (offset <= this.#shown) return 'seen'
    this.#shown = offset
    if (offset > this.#accounted) this.#accounted = offset
    return 'next'
  }

  /** Takes a message of those that a `joined` brings. Returns whether it is to be shown. */
  replay({ epoch, offset }: Position): boolean {
    if (epoch === this.#epoch && offset <= this.#shown) return false
    this.#epoch = epoch
    this.#shown = offset
    return true
  }

  /** Takes the notice that messages up to a position have been left out. */
  skip({ epoch, offset }: Position): Placed {
    if (epoch !== this.#epoch) return 'gap'
    if (!(offset > this.#accounted)) return 'seen'
    this.#accounted = offset
    return 'next'
  }

  /** The server has accounted for everything up to a position. */
  reset({ epoch, offset }: Position): void {
    this.#epoch = epoch
    this.#shown = this.#accounted = offset
  }
}
