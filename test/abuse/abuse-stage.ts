import { constants, setPriority } from 'node:os'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Attacker, type Entrance, type Message } from './attacker.ts'
import { Bystanders, p99, type Talk } from './bystanders.ts'
import type { Figures } from './figures.ts'
import { sentenceOf, type LineId } from './lines.ts'
import { AbusedServer, type ServerOptions } from './server.ts'
import type { Manners } from '../transports/raw/byte-client.ts'

/** Messages of a talk: p99 is the fourth longest. */
const talkCount = 300
/** How much longer messages may take under abuse than in the quiet just before. */
const slowdown = 3
/**
 * What is no slowdown (ms): server, bystanders and attacker share two cores, and a turn of the scheduler alone takes some
 * 3 ms, where a message in the quiet takes less than one.
 */
const unnoticedMs = 10
/** What the heap may have grown by: compiled code and V8's statistics come and go. */
const grownBytes = 512 * 1024
/**
 * How often it is measured until both hold at once. Other work on the machine may meet either talk, and code may be
 * compiled in either; what slows others down, or stays behind, does so every time.
 */
const attempts = 8
/** How often an abuse is done before anything is measured, so that no code is compiled meanwhile. */
const rehearsals = 3

/** Short times, so that what passes by itself passes while a test waits. */
const shortTimes = {
  resumeWindowMs: 200,
  presenceGraceMs: 100,
  roomLingerMs: 100,
  idempotencyMs: 60_000,
  closeTimeoutMs: 500,
}

/** What one attempt has shown. */
interface Measured extends Omit<Figures, 'attempts' | 'quietMs'> {
  readonly quietTalk: Pick<Talk, 'latencies'>
}

/** How a line is done. */
export interface AbuseOptions {
  /** How often it is done at least before anything is measured. @default 3 */
  readonly rehearsals?: number
  /** At every how many beats of 21 ms it begins again, unless it takes longer. @default 1 */
  readonly beats?: number
  /**
   * What the bystanders' p99 may be, where all that comes is work that has to be done (ms).
   *
   * @default three times that of the quiet, or 10 where that is more
   */
  readonly withinMs?: number
  /** What telemetry is told of it, by type. @default nothing */
  readonly tells?: readonly string[]
}

/** What is abused once: whatever must come of it, it expects itself. */
export type Abuse = (stage: AbuseStage) => Promise<void>

/**
 * A server in a process of its own, and bystanders on it in another. Each line of the list is done there again and again
 * while the bystanders talk, about 47 times a second, or as often as it can where it takes longer: their p99 stays within
 * three times what it was in the quiet just before, or 10 ms, they hear
 * everything once and in order, and afterwards connections, sessions, rooms, timers, sockets and the heap are what they
 * were. Nothing is thrown that nobody catches, nothing crashes, and nothing is written.
 */
export class AbuseStage {
  server!: AbusedServer
  /** Added to what the test tells of itself. */
  notes: string[] = []
  readonly #options: ServerOptions
  readonly #tokens: readonly string[]
  readonly #attackers: Attacker[] = []
  #bystanders!: Bystanders
  #rooms = 0
  #users = 0

  constructor(options: ServerOptions = {}, tokens: readonly string[] = ['ada', 'bob', 'cy', 'dee']) {
    this.#options = { ...shortTimes, ...options }
    this.#tokens = tokens
    beforeAll(() => this.#begin())
    afterEach(() => this.#cutAll())
    afterAll(() => this.#end())
  }

  /** Tests a line of the list. */
  abuse(line: LineId, abuse: Abuse, options: AbuseOptions = {}): void {
    it(`[ISOLATE] [BOUND] ${sentenceOf(line)}`, { timeout: 90_000 }, async ({ task }) => {
      for (let i = 0; i < (options.rehearsals ?? rehearsals); i++) await this.#perform(abuse)
      const quiet: number[] = []
      for (let attempt = 1; ; attempt++) {
        const { quietTalk, ...measured } = await this.#measure(abuse, options)
        // The p99 of 300 messages is the fourth longest of them: that of all quiet talks together is a better one.
        quiet.push(...quietTalk.latencies)
        const figures = { ...measured, quietMs: p99({ latencies: quiet }), attempts: attempt }
        task.meta.abuse = figures
        task.meta.notes = this.notes
        this.notes = []
        const { quietMs, abusedMs, beforeBytes, afterBytes } = figures
        const withinMs = options.withinMs ?? Math.max(slowdown * quietMs, unnoticedMs)
        if (attempt < attempts && (abusedMs > withinMs || afterBytes - beforeBytes > grownBytes)) continue
        expect(abusedMs, 'p99 under abuse, against that of the quiet').toBeLessThanOrEqual(withinMs)
        expect(afterBytes - beforeBytes, 'what is held more than before').toBeLessThanOrEqual(grownBytes)
        return
      }
    })
  }

  /** The name of a room in which nobody has been yet. */
  room(): string {
    return `pit ${++this.#rooms}`
  }

  /** The name of a user who has not been here yet: what is said counts against whoever comes back. */
  user(): string {
    return `visitor ${++this.#users}`
  }

  /** Somebody who has opened a TCP connection. */
  async connect(manners: Manners = {}): Promise<Attacker> {
    const attacker = await Attacker.connect(this.server.port, manners)
    this.#attackers.push(attacker)
    return attacker
  }

  /** Somebody who has been welcomed. */
  async enter(entrance: Entrance = {}): Promise<Attacker & { readonly welcome: Message }> {
    const attacker = await this.connect(entrance)
    return Object.assign(attacker, { welcome: await attacker.enter(entrance) })
  }

  async #perform(abuse: Abuse): Promise<void> {
    await abuse(this)
    this.#cutAll()
  }

  async #measure(abuse: Abuse, { beats = 1, tells = [] }: AbuseOptions): Promise<Measured> {
    const quiet = await this.#bystanders.talk(talkCount)
    const before = await this.server.sample()
    const { times, talk } = await this.#abusedTalk(abuse, beats)
    const after = await this.server.rest(before)
    expect([...quiet.faults, ...talk.faults]).toEqual([])
    expect([this.server.complaint, after.faults]).toEqual(['', []])
    expect(Object.keys(after.told)).toEqual(tells)
    expect([after.census, after.sockets]).toEqual([before.census, before.sockets])
    expect(after.timers).toBeLessThanOrEqual(before.timers)
    return {
      times,
      quietTalk: quiet,
      abusedMs: p99(talk),
      beforeBytes: before.heldBytes,
      afterBytes: after.heldBytes,
    }
  }

  async #abusedTalk(abuse: Abuse, beats: number): Promise<{ times: number; talk: Talk }> {
    const over = new AbortController()
    let beat = 0
    let heard = (): void => {}
    const talking = this.#bystanders.talk(talkCount, () => {
      if (++beat % beats === 0) heard()
    })
    const talked = talking.finally(() => {
      over.abort()
      heard()
    })
    // Should the abuse fail first, nobody waits for it.
    talked.catch(() => {})
    let times = 0
    while (!over.signal.aborted) {
      await this.#perform(abuse)
      times++
      if (!over.signal.aborted) await new Promise<void>((resolve) => (heard = resolve))
    }
    return { times, talk: await talked }
  }

  #cutAll(): void {
    for (const attacker of this.#attackers.splice(0)) attacker.cut()
  }

  async #begin(): Promise<void> {
    this.server = await AbusedServer.start(this.#options)
    const { origins } = this.#options
    const origin = Array.isArray(origins) ? String(origins[0]) : `http://127.0.0.1:${this.server.port}`
    this.#bystanders = await Bystanders.enter(this.server.port, this.#tokens, origin)
    // Whatever is remembered of each message is remembered by now, and the code is compiled.
    for (let i = 0; i < 2; i++) await this.#bystanders.talk(talkCount)
    // What others are to notice is the server, not that the attacker needs the processor to draw up an attack.
    setPriority(constants.priority.PRIORITY_LOW)
  }

  async #end(): Promise<void> {
    this.#bystanders.leave()
    expect(await this.server.close()).toBe(0)
    this.server.kill()
  }
}
