import { setTimeout as sleep } from 'node:timers/promises'
import { RawClient } from '../clients/raw-client.ts'
import type { Dialect } from '../dialects.ts'
import { markerOf, Speaker } from './speaker.ts'
import type { Workload } from './workloads.ts'

/** Connections that come at once: fewer than a server's backlog holds. */
const connectsAtOnce = 500
/** Silence after which nobody is told any more of who came. */
const quietMs = 150
/** How long it may take to let everybody in. */
const gatherMs = 60_000
/** How long what is on its way may take to arrive. */
const settleMs = 10_000

interface Room {
  readonly members: readonly RawClient[]
  readonly speakers: readonly Speaker[]
}

/** All clients of a workload, in their rooms. */
export class Crowd {
  readonly #workload: Workload
  readonly #clients: RawClient[] = []
  #rooms: readonly Room[] = []
  #speakers: readonly Speaker[] = []
  /** Rejects when anything goes wrong with any client; whatever is waited for, this is waited for too. */
  readonly #failure: Promise<never>
  #fail: (error: Error) => void = () => {}

  private constructor(workload: Workload) {
    this.#workload = workload
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.#failure.catch(() => {})
  }

  /**
   * Connects everybody, and returns when all are in their rooms and the news of their coming has been told.
   *
   * @throws Error when the server turns anybody away
   */
  static async gather(workload: Workload, dialect: Dialect, port: number): Promise<Crowd> {
    const crowd = new Crowd(workload)
    const late = setTimeout(() => crowd.#fail(new Error(`${workload.name}: not everybody was let in.`)), gatherMs)
    try {
      await crowd.#connect(dialect, port)
      await crowd.#quiet()
    } catch (error) {
      crowd.disperse()
      throw error
    } finally {
      clearTimeout(late)
    }
    crowd.#seat(dialect)
    return crowd
  }

  /** What the server did so far that counts: deliveries, or acknowledgements where those are asked for. */
  get delivered(): number {
    return this.#workload.acknowledged ? sum(this.#speakers, ({ back }) => back) : this.#frames
  }

  /** The first of those who speak. */
  get firstSpeaker(): Speaker {
    const [first] = this.#speakers
    if (first === undefined) throw new Error('Nobody here speaks.')
    return first
  }

  start(): void {
    for (const speaker of this.#speakers) speaker.start()
  }

  stop(): void {
    for (const speaker of this.#speakers) speaker.stop()
  }

  /**
   * Waits for what is still on its way, and makes sure that everybody got everything that was said in their room, once.
   *
   * @throws Error when they did not: then the server did other work than the figures say
   */
  async settle(): Promise<void> {
    const expected = sum(this.#rooms, (room) => room.members.length * this.#framesPerMember(room))
    const deadline = Date.now() + settleMs
    while (this.#frames < expected && Date.now() < deadline) await this.#pause(10)
    await this.#pause(50)
    for (const room of this.#rooms) {
      const each = this.#framesPerMember(room)
      const isWhole = room.members.every(({ scanner }) => scanner.frames === each)
      if (isWhole && room.speakers.every(({ isEven }) => isEven)) continue
      throw new Error(`${this.#workload.name}: ${this.#frames} frames came of ${expected}, or not where they should.`)
    }
  }

  /** Cuts all connections. */
  disperse(): void {
    for (const client of this.#clients) client.close()
  }

  get #frames(): number {
    return sum(this.#clients, ({ scanner }) => scanner.frames)
  }

  /** An acknowledgement goes to who asked for it, and whoever asks here is alone in the room. */
  #framesPerMember({ speakers }: Room): number {
    return sum(speakers, ({ sent }) => sent) * (this.#workload.acknowledged ? 2 : 1)
  }

  async #connect(dialect: Dialect, port: number): Promise<void> {
    const { rooms, membersPerRoom } = this.#workload
    const ordinals = new Map(speakersSeats(this.#workload).map((seat, ordinal) => [seat, ordinal]))
    for (let place = 0; place < rooms * membersPerRoom; place++) {
      const ordinal = ordinals.get(place % membersPerRoom)
      const marker = ordinal === undefined ? undefined : markerOf(ordinal, dialect)
      const room = `room-${Math.floor(place / membersPerRoom)}`
      this.#clients.push(new RawClient({ port, dialect, room, marker, failed: this.#fail }))
      if (this.#clients.length % connectsAtOnce === 0) await this.#lastOpened()
    }
    await this.#lastOpened()
  }

  async #lastOpened(): Promise<void> {
    const last = this.#clients.slice(-connectsAtOnce)
    await Promise.race([Promise.all(last.map(({ opened }) => opened)), this.#failure])
  }

  async #quiet(): Promise<void> {
    for (let before = -1; before !== this.#frames;) {
      before = this.#frames
      await this.#pause(quietMs)
    }
  }

  /** From here on only what is said counts. */
  #seat(dialect: Dialect): void {
    const { rooms, membersPerRoom } = this.#workload
    const seats = speakersSeats(this.#workload)
    for (const { scanner } of this.#clients) scanner.reset()
    this.#rooms = Array.from({ length: rooms }, (_, room) => {
      const members = this.#clients.slice(room * membersPerRoom, (room + 1) * membersPerRoom)
      const speakers = seats.flatMap((seat, ordinal) => {
        const member = members[seat]
        return member === undefined ? [] : [new Speaker(member, ordinal, dialect, this.#workload)]
      })
      return { members, speakers }
    })
    this.#speakers = this.#rooms.flatMap(({ speakers }) => speakers)
  }

  async #pause(ms: number): Promise<void> {
    await Promise.race([sleep(ms), this.#failure])
  }
}

/** Those who speak sit evenly among the others: neither the first nor the last to be served. */
function speakersSeats({ membersPerRoom, speakersPerRoom }: Workload): number[] {
  return Array.from({ length: speakersPerRoom }, (_, ordinal) =>
    Math.floor(((ordinal + 0.5) * membersPerRoom) / speakersPerRoom),
  )
}

function sum<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  let total = 0
  for (const item of items) total += valueOf(item)
  return total
}
