import { joined, message, volatile, type ScriptedServer, type ScriptedSocket, type Wire } from './scripted-server.ts'

/** A place in a room's log, and among everything that was ever said in the room. */
export interface Said {
  readonly epoch: string
  readonly offset: number
  readonly serial: number
}

/** A room with a log, on a scripted server: it keeps its promises but for those that it is told to break. */
export class ScriptedRoom {
  /** Everything that was ever said. */
  readonly said: Said[] = []
  /** What readers were told would not come. */
  readonly left = new Set<number>()
  /** How often something was kept from a member, or a log was lost under one. */
  faults = 0
  readonly #members = new Set<ScriptedSocket>()
  /** What the log holds, oldest first. */
  #log: Wire[] = []
  #epoch = 1
  #offset = 0
  #lostLast = false

  constructor(server: ScriptedServer) {
    server.answer('join', (join, socket) => {
      this.#members.add(socket)
      socket.say(joined(join, this.#accountFor(join['since'] as { epoch: string; offset: number } | undefined)))
    })
  }

  /** The place up to which nothing is missing for whoever is told of it now. */
  serialOf({ epoch, offset }: { readonly epoch: string; readonly offset: number }): number {
    const before = this.said.filter((it) => Number(it.epoch.slice(1)) < Number(epoch.slice(1))).length
    return before + offset
  }

  say(): void {
    this.#lostLast = false
    this.#tell(this.#append())
  }

  /** Keeps a message from its members. */
  lose(): void {
    this.#append()
    this.#lostLast = true
    this.#fault()
  }

  /** Says again what was said before. */
  repeat(back: number): void {
    const again = this.#log.at(-back)
    if (again !== undefined && !this.#lostLast) this.#tell(again)
  }

  flutter(): void {
    this.#tell(volatile('v'))
  }

  /**
   * Spares its readers some messages, and gives them those that stand for them.
   *
   * @param cut - ends the connections in between
   */
  spare(survives: readonly boolean[], cut: boolean): void {
    // What is lost right before goes unnoticed: the notice says that nothing up to there is still to come.
    if (this.#lostLast) this.say()
    const spared = survives.map(() => this.#append())
    const survivors = spared.filter((_, i) => survives[i])
    const count = spared.length - survivors.length
    if (count > 0) {
      spared.forEach((_, i) => {
        if (survives[i] !== true) this.left.add(this.said.length - spared.length + i + 1)
      })
      this.#tell({ type: 'skipped', room: 'main', epoch: `e${this.#epoch}`, offset: this.#offset, count })
    }
    if (cut) for (const socket of this.#present()) socket.end()
    for (const survivor of survivors) this.#tell(survivor)
  }

  /** Loses its log. */
  begin(): void {
    this.#epoch++
    this.#offset = 0
    this.#log = []
    this.#fault()
  }

  /** Keeps no more than so many messages. */
  forget(keep: number): void {
    this.#log = this.#log.slice(this.#log.length - Math.min(keep, this.#log.length))
  }

  #append(): Wire {
    const epoch = `e${this.#epoch}`
    const place = { epoch, offset: ++this.#offset, serial: this.said.length + 1 }
    this.said.push(place)
    const appended = message(place.offset, { epoch, data: place.serial })
    this.#log.push(appended)
    return appended
  }

  #tell(news: Wire): void {
    for (const socket of this.#present()) socket.say(news)
  }

  #fault(): void {
    if (this.#present().length > 0) this.faults++
  }

  #present(): ScriptedSocket[] {
    return [...this.#members].filter(({ readyState }) => readyState === 1)
  }

  #accountFor(since: { epoch: string; offset: number } | undefined): object {
    const epoch = `e${this.#epoch}`
    const missed = this.#log.filter(({ offset }) => Number(offset) > (since?.offset ?? 0))
    const recovered = since?.epoch === epoch && missed.length === this.#offset - since.offset
    return { epoch, offset: this.#offset, recovered, messages: recovered ? missed : [] }
  }
}
