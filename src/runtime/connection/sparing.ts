import type { Frame } from '../ports/frame.ts'
import type { Pressure } from './pressure.ts'

/** A room, as far as those are concerned whom it spares messages. */
export interface SparedRoom {
  /** What tells a reader that nothing up to an offset is still to come, and how many messages it was spared. */
  skipped(offset: number, count: number): Frame
}

interface Spared {
  /** The last offset that was not sent. */
  offset: number
  /** How many messages are not going to be sent. */
  count: number
  /** The last message of each key, in the order of their offsets. */
  readonly survivors: Map<string, Frame>
}

/** What one slow reader was spared by its rooms: messages that were dropped, and those that stand for others. */
export class Sparing {
  readonly #rooms = new Map<SparedRoom, Spared>()
  readonly #pressure: Pressure
  #bytes = 0

  constructor(pressure: Pressure) {
    this.#pressure = pressure
  }

  /** What waits here, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether a reader is behind in a room: then what follows is spared as well, or it would come too early. */
  has(room: SparedRoom): boolean {
    return this.#rooms.has(room)
  }

  add(room: SparedRoom, frame: Frame, offset: number, key: string | undefined): void {
    let spared = this.#rooms.get(room)
    if (spared === undefined) this.#rooms.set(room, (spared = { offset, count: 0, survivors: new Map() }))
    spared.offset = offset
    if (key === undefined) {
      spared.count++
      return
    }
    const before = spared.survivors.get(key)
    if (before !== undefined) {
      spared.count++
      this.#release(before)
      // Put at the end again: the order of insertion is the order of offsets.
      spared.survivors.delete(key)
    }
    spared.survivors.set(key, frame)
    this.#bytes += frame.byteLength
    // Last: it may be too much for the process, and all this be let go of.
    this.#pressure.hold(frame)
  }

  delete(room: SparedRoom): void {
    const spared = this.#rooms.get(room)
    if (spared === undefined) return
    this.#rooms.delete(room)
    for (const frame of spared.survivors.values()) this.#release(frame)
  }

  /** The frames that bring the reader up to date, room by room; afterwards it is spared nothing. */
  take(): Frame[] {
    const frames: Frame[] = []
    for (const [room, { offset, count, survivors }] of this.#rooms) {
      if (count > 0) frames.push(room.skipped(offset, count))
      frames.push(...survivors.values())
    }
    this.clear()
    return frames
  }

  clear(): void {
    for (const room of this.#rooms.keys()) this.delete(room)
  }

  #release(frame: Frame): void {
    this.#bytes -= frame.byteLength
    this.#pressure.release(frame)
  }
}
