/** What PROTOCOL.md promises. */
export type PromiseId = 'ORDER' | 'ONCE' | 'GAPLESS' | 'FENCE' | 'PRESENCE' | 'TYPING' | 'BOUND' | 'CLOSED' | 'ISOLATE'

/** A promise that was broken, and how. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
  readonly code = 'broken-promise'
  readonly promise: PromiseId
  /** When it was found, since the beginning of the run (ms). */
  readonly atMs: number

  constructor(promise: PromiseId, says: string, atMs: number) {
    super(`[${promise}] at ${atMs} ms: ${says}`)
    this.promise = promise
    this.atMs = atMs
  }
}

/** Something that was done to the world, by which a client may be told of a loss that it would else not be told of. */
export type Excuse =
  | 'server restarted'
  | 'server stopped'
  | 'server leaving'
  | 'clock set'
  | 'room crashed'
  | 'connection crashed'
  | 'session crashed'
  | 'disk failed to read'
  | 'disk failed to open'
  | 'disk failed for a session'
  | 'disk slow'
  | 'disk failed to write'
  | 'log lost'

/** Something that was done to a device, by which the end of its connections is no surprise. */
export type Disturbance =
  | 'cut'
  | 'stall'
  | 'freeze'
  | 'sleep'
  | 'ignore'
  | 'lose'
  /** It is an intruder's, or comes with a token that is none. */
  | 'intruder'
  /** Somebody else has its session, or it was refused: it stays away. */
  | 'robbed'

/** Where what was seen is judged. Its checkers run in the middle of what they watch: they accuse, and throw nothing. */
export class Court {
  readonly #now: () => number
  readonly #excuses = new Set<Excuse>()
  /** Of single devices. */
  readonly #disturbed = new Map<string, Set<Disturbance>>()
  #broken: BrokenPromise | undefined

  /** @param now - the time since the beginning of the run (ms) */
  constructor(now: () => number) {
    this.#now = now
  }

  get now(): number {
    return this.#now()
  }

  /** The first promise that was seen broken. */
  get broken(): BrokenPromise | undefined {
    return this.#broken
  }

  accuse(promise: PromiseId, says: string): void {
    this.#broken ??= new BrokenPromise(promise, says, this.now)
  }

  excuse(excuse: Excuse): void {
    this.#excuses.add(excuse)
  }

  /** Whether any of these has been done. */
  excused(...excuses: readonly Excuse[]): boolean {
    return excuses.some((excuse) => this.#excuses.has(excuse))
  }

  /** Something was done to a device. */
  disturb(device: string, how: Disturbance): void {
    const disturbed = this.#disturbed.get(device) ?? new Set<Disturbance>()
    this.#disturbed.set(device, disturbed.add(how))
  }

  disturbed(device: string, ...how: readonly Disturbance[]): boolean {
    const disturbed = this.#disturbed.get(device)
    return disturbed !== undefined && how.some((each) => disturbed.has(each))
  }
}
