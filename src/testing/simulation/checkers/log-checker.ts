import type { JoinedMessage, Position, RoomMessage, ServerMessage } from '../../../protocol/index.ts'
import { gist, spokenInBase64, type Spoken } from '../spoken.ts'
import type { Court } from '../court.ts'
import type { Asked, Tapped, WireListener } from '../wire-tap.ts'

/** How far a room's log has come to a connection. */
interface Place {
  /** What each session said last. */
  readonly said: Map<string, number>
  epoch: string
  shown: number
  accounted: number
}

/** What stands in a log. */
interface Truth {
  readonly at: Map<number, string>
  /** The other way round. */
  readonly places: Map<string, number>
  /** How long what stands there is (characters, roughly). */
  readonly lengths: Map<number, number>
}

/** What a connection has asked that the answers are held against. */
interface Questions {
  readonly joins: Map<unknown, Position | undefined>
  /** What it says, by the id and room of the request. */
  readonly says: Map<string, string>
  readonly places: Map<string, Place>
  /** Rooms that it has been told it has left. */
  readonly left: Set<string>
}

/** What members hear of a room. */
const heard: ReadonlySet<string> = new Set(['message', 'presence', 'typing', 'skipped'])

/** What a message says, in one text: unique in a run. */
const identityOf = ({ from, data, bytes }: Partial<RoomMessage>): string =>
  `${from?.session} ${gist(data ?? spokenInBase64(bytes ?? ''))}`

/**
 * ORDER, ONCE and, as far as it shows on the wire, GAPLESS: what stands at a place of a log stands there for everybody and
 * for ever; a message stands at one place only; and every connection is shown one place after the other.
 */
export class LogChecker implements WireListener {
  readonly #court: Court
  readonly #questions = new Map<Tapped, Questions>()
  /** What stands where, by epoch; and where something stands. */
  readonly #truth = new Map<string, Truth>()
  /** Where what was acknowledged stands, by epoch and offset, and since when (ms). */
  readonly #acknowledged = new Map<string, Map<number, { readonly said: string; readonly at: number }>>()

  constructor(court: Court) {
    this.#court = court
  }

  opened(connection: Tapped): void {
    this.#questions.set(connection, { joins: new Map(), says: new Map(), places: new Map(), left: new Set() })
  }

  ended(connection: Tapped): void {
    this.#questions.delete(connection)
  }

  received(connection: Tapped, { type, id, room, since, data }: Asked): void {
    const questions = this.#questions.get(connection)
    if (type === 'join') questions?.joins.set(id, since as Position | undefined)
    if (type === 'message' && id !== undefined && data !== undefined) {
      questions?.says.set(`${typeof id} ${id} ${room}`, gist(data))
    }
    if (type === 'leave' && room !== undefined) questions?.places.delete(room)
  }

  sent(connection: Tapped, message: ServerMessage): void {
    const questions = this.#questions.get(connection)
    if (questions === undefined) return
    if (heard.has(message.type) && questions.left.has((message as RoomMessage).room)) {
      this.#court.accuse('ISOLATE', `${connection.device} is sent a ${message.type} of a room that it has left`)
    }
    switch (message.type) {
      case 'joined':
        questions.left.delete(message.room)
        return this.#joined(connection, questions, message)
      case 'history':
        for (const each of message.messages) this.learn(each)
        return
      case 'message':
        if (!('volatile' in message)) this.#follow(connection, questions.places.get(message.room), message)
        return
      case 'skipped': {
        const place = questions.places.get(message.room)
        if (place === undefined || place.epoch !== message.epoch) return
        if (message.offset <= place.accounted) this.#court.accuse('ORDER', `${connection.device} is spared twice`)
        place.accounted = message.offset
        return
      }
      case 'ack':
        return this.#acked(questions, message)
      case 'left':
        questions.places.delete(message.room)
        questions.left.add(message.room)
        return
      case 'error':
        if (message.code === 'room-unavailable' && message.room !== undefined) questions.places.delete(message.room)
        return
      default:
    }
  }

  /** What stands at a place, by whatever way it was learned. */
  learn(message: Pick<RoomMessage, 'room' | 'epoch' | 'offset'> & Partial<RoomMessage>): void {
    const { room, epoch, offset } = message
    let truth = this.#truth.get(epoch)
    if (truth === undefined) this.#truth.set(epoch, (truth = { at: new Map(), places: new Map(), lengths: new Map() }))
    const identity = identityOf(message)
    const known = truth.at.get(offset)
    if (known !== undefined && known !== identity) {
      this.#court.accuse('ORDER', `at ${offset} of ${room} stands '${identity}' for one and '${known}' for another`)
    }
    const place = truth.places.get(identity)
    if (place !== undefined && place !== offset) {
      this.#court.accuse('ONCE', `'${identity}' stands at ${place} and at ${offset} of ${room}`)
    }
    const promised = this.#acknowledged.get(epoch)?.get(offset)
    if (promised !== undefined && !identity.endsWith(promised.said)) {
      this.#court.accuse(
        'ONCE',
        `${offset} of ${room} was acknowledged to '${promised.said}', and '${identity}' stands there`,
      )
    }
    truth.at.set(offset, identity)
    truth.places.set(identity, offset)
    if (known === undefined)
      truth.lengths.set(offset, 40 + ((message.data as Partial<Spoken> | null)?.padding?.length ?? 0))
  }

  /** How much stands between two places at most (characters), and how many messages that is. */
  between(epoch: string, after: number, until: number): { readonly length: number; readonly count: number } {
    const lengths = this.#truth.get(epoch)?.lengths
    let length = 0
    for (let offset = after + 1; offset <= until; offset++) length += lengths?.get(offset) ?? 6_000
    return { length, count: until - after }
  }

  /** What was acknowledged in a log lately, and does not stand in it: it is kept for a while only. */
  missing(epoch: string, present: ReadonlySet<number>, keptMs: number): number | undefined {
    for (const [offset, { at }] of this.#acknowledged.get(epoch) ?? []) {
      if (!present.has(offset) && this.#court.now < at + keptMs) return offset
    }
    return undefined
  }

  #joined(connection: Tapped, { joins, places }: Questions, message: JoinedMessage): void {
    const { id, room, epoch, offset, recovered, messages } = message
    const since = joins.get(id)
    for (const each of messages) this.learn(each)
    const name = connection.device
    if (recovered) {
      const wanted = since?.epoch === epoch ? offset - since.offset : -1
      const whole = messages.every((each, index) => each.offset === (since?.offset ?? 0) + index + 1)
      if (messages.length !== wanted || !whole) {
        const given = messages.map((each) => each.offset).join()
        this.#court.accuse(
          'GAPLESS',
          `${name} was at ${since?.offset} of ${room}, is recovered to ${offset} by ${given}`,
        )
      }
    } else if (messages.length > 0) {
      this.#court.accuse('GAPLESS', `${name} is not recovered in ${room}, and gets a part`)
    }
    places.set(room, { epoch, shown: offset, accounted: offset, said: new Map() })
  }

  #follow(connection: Tapped, place: Place | undefined, message: RoomMessage): void {
    this.learn(message)
    if (place === undefined) return
    const { epoch, offset, room } = message
    if (epoch === place.epoch) {
      if (offset <= place.shown) {
        this.#court.accuse('ORDER', `${connection.device} gets ${offset} of ${room} after ${place.shown}`)
      }
      if (offset > place.accounted + 1) {
        this.#court.accuse('GAPLESS', `${connection.device} gets ${offset} of ${room} after ${place.accounted}`)
      }
    } else if (!this.#court.excused('log lost', 'room crashed', 'disk failed to write')) {
      this.#court.accuse('GAPLESS', `${room} has another epoch from one message to the next`)
    }
    const { n } = (message.data ?? {}) as Partial<Spoken>
    if (n !== undefined) {
      const before = place.said.get(message.from.session) ?? 0
      // What the log failed at is sent again, behind what it did not.
      if (n < before && !this.#court.excused('disk failed to write', 'room crashed', 'log lost', 'server restarted')) {
        this.#court.accuse('ORDER', `${connection.device} hears #${n} in ${room} after #${before} of the same sender`)
      }
      place.said.set(message.from.session, n)
    }
    place.epoch = epoch
    place.shown = offset
    place.accounted = Math.max(place.accounted, offset)
  }

  #acked({ says }: Questions, { id, room, epoch, offset }: Extract<ServerMessage, { type: 'ack' }>): void {
    const said = says.get(`${typeof id} ${id} ${room}`)
    if (said === undefined || epoch === undefined || offset === undefined) return
    const stands = this.#truth.get(epoch)?.at.get(offset)
    if (stands !== undefined && !stands.endsWith(said)) {
      this.#court.accuse('ONCE', `'${said}' is acknowledged at ${offset} of ${room}, where '${stands}' stands`)
    }
    const acknowledged = this.#acknowledged.get(epoch) ?? new Map<number, { said: string; at: number }>()
    this.#acknowledged.set(epoch, acknowledged.set(offset, { said, at: this.#court.now }))
  }
}
