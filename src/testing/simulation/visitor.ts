import type { InspectionEvent } from 'xstate'
import { createClient, type Client, type ClientRoom } from '../../client/index.ts'
import type { Device } from '../network/device.ts'
import { ViewChecker, type ReplayLimits } from './checkers/view-checker.ts'
import type { LogChecker } from './checkers/log-checker.ts'
import type { Court } from './court.ts'
import { asBytes, spokenInBytes, type Spoken } from './spoken.ts'

/** What a visitor needs of the world. */
export interface VisitorTerms {
  readonly court: Court
  readonly logs: LogChecker
  readonly limits: ReplayLimits
  /** Whether a room's log outlives the server's process. */
  readonly keepsLogs: boolean
  /** A number that nobody has said yet. */
  nextNumber(): number
  /** Something happened that stands in the trace. */
  note(line: string): void
  /** The token that it comes with: settles in its turn; rejects, or is bad, where that was arranged. */
  token(): Promise<string>
  /** An observer of its machines. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined
}

/** What a visitor sees of a room. */
export interface Seen {
  readonly room: ClientRoom
  readonly view: ViewChecker
  /** What it said last of itself, once that was acknowledged. */
  mood: number | undefined
  /** The number that was heard last. */
  heard: number | undefined
}

/** Somebody who uses the client library, and writes down what it shows. */
export class Visitor {
  readonly name: string
  readonly user: string
  readonly device: Device
  readonly client: Client
  readonly rooms = new Map<string, Seen>()
  /** How many of its calls have not been answered in any way. */
  waiting = 0
  /** Whether it has left by its own wish. */
  hasQuit = false
  readonly #terms: VisitorTerms

  constructor(name: string, user: string, device: Device, terms: VisitorTerms) {
    this.name = name
    this.user = user
    this.device = device
    this.#terms = terms
    const { WebSocket, process } = device
    this.client = createClient('ws://server/ws', {
      WebSocket,
      environment: process.environment,
      token: () => terms.token(),
      ...(terms.inspect && { inspect: terms.inspect }),
    })
    this.client.on('status', (status) => this.#note(`is ${status}`))
    this.client.on('error', ({ code }) => this.#note(`error ${code}`))
    this.client.handle('question', () => ({ answer: this.#terms.nextNumber() }))
  }

  join(name: string, presence?: { readonly mood: number }): void {
    if (this.client.status === 'closed') return
    const { court, logs, limits, keepsLogs } = this.#terms
    const known = this.rooms.get(name)
    if (known !== undefined) return
    const room = this.client.join(name, presence === undefined ? {} : { presence })
    if (this.#terms.inspect !== undefined) room.actor.system.inspect(this.#terms.inspect)
    const view = new ViewChecker(court, logs, limits, { device: this.device.name, room: name, keepsLogs })
    const seen: Seen = { room, view, mood: undefined, heard: undefined }
    this.rooms.set(name, seen)
    room.on('message', (message) => {
      const spoken = message.data instanceof Uint8Array ? spokenInBytes(message.data) : message.data
      this.#note(`${name} ${message.offset ?? 'volatile'} ${(spoken as Spoken | null)?.n}`)
      if (message.volatile) return
      view.message(message, spoken)
      seen.heard = (spoken as Spoken | null)?.n
    })
    room.on('gap', (gap) => {
      this.#note(`${name} gap ${gap.from.offset} ${gap.to.offset}`)
      view.gap(gap)
    })
    room.on('joined', ({ recovered, healed }) => {
      this.#note(`${name} joined, recovered=${recovered} healed=${healed}`)
      view.joined()
    })
    room.on('skipped', ({ count }) => view.skipped(count))
    room.on('typing', (users) => this.#note(`${name} types ${users.join()}`))
    room.on('error', ({ code }) => this.#note(`${name} error ${code}`))
    room.on('status', (status) => {
      if (status === 'left') this.rooms.delete(name)
    })
    room.presence.subscribe((members) => this.#note(`${name} here ${members.map(({ user }) => user).join()}`))
  }

  leave(name: string): void {
    void this.#track(this.rooms.get(name)?.room.leave())
  }

  /** @returns the number that it says, if it is in the room */
  say(name: string, { size = 0, binary = false, volatile = false } = {}): number | undefined {
    const room = this.rooms.get(name)?.room
    if (room === undefined) return undefined
    const spoken: Spoken = { n: this.#terms.nextNumber(), ...(size === 0 ? {} : { padding: '.'.repeat(size) }) }
    this.#track(room.send(binary ? asBytes(spoken) : spoken, volatile ? { volatile } : {}))
    return spoken.n
  }

  type(name: string, typing: boolean): void {
    const room = this.rooms.get(name)?.room
    if (typing) room?.typing()
    else room?.stopTyping()
  }

  show(name: string): void {
    const seen = this.rooms.get(name)
    const mood = this.#terms.nextNumber()
    const told = seen?.room.presence.update({ mood })
    if (seen !== undefined) seen.mood = undefined
    this.#track(
      told?.then(() => {
        if (seen !== undefined) seen.mood = mood
      }),
    )
  }

  history(name: string): void {
    this.#track(this.rooms.get(name)?.room.history({ limit: 5 }))
  }

  call(type: string): void {
    this.#track(this.client.request(type, { n: this.#terms.nextNumber() }))
  }

  quit(): void {
    this.hasQuit = true
    this.client.close()
  }

  /** Every call settles: what has not at the end never will. */
  #track(call: Promise<unknown> | undefined): void {
    if (call === undefined) return
    this.waiting++
    call.then(
      () => this.waiting--,
      (error: { readonly code?: string }) => {
        this.waiting--
        this.#note(`failed: ${error.code ?? String(error)}`)
      },
    )
  }

  #note(what: string): void {
    this.#terms.note(`${this.name} ${what}`)
  }
}
