import type { InspectionEvent } from 'xstate'
import { Network } from '../network/network.ts'
import { VirtualDisk } from '../disk/virtual-disk.ts'
import { SeededRandom } from '../random.ts'
import { VirtualClock, type TaskScheduler } from '../virtual-clock.ts'
import { BoundChecker } from './checkers/bound-checker.ts'
import { ClosingChecker } from './checkers/closing-checker.ts'
import { FenceChecker } from './checkers/fence-checker.ts'
import { LogChecker } from './checkers/log-checker.ts'
import { PresenceChecker } from './checkers/presence-checker.ts'
import { TypingChecker } from './checkers/typing-checker.ts'
import { Court } from './court.ts'
import type { Stolen } from './intruder.ts'
import { rooms, visitorName, visitors, type SimulationSetting } from './plan.ts'
import { bounds, SimulatedServer, type ServerTerms } from './server.ts'
import { Visitor } from './visitor.ts'
import type { Tapped, WireListener } from './wire-tap.ts'

/** What a world is made of beside its setting. */
export interface WorldTerms {
  readonly seed: number
  readonly setting: SimulationSetting
  readonly scheduler?: TaskScheduler | undefined
  /** Is told everything that happens, line by line. */
  readonly trace?: ((line: string) => void) | undefined
  /** An observer of every machine in the world. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined
}

/** Everything that a run plays with: clock, network, disk, server, visitors, and those who look on. */
export class World {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly network: Network
  readonly disk: VirtualDisk | undefined
  readonly setting: SimulationSetting
  readonly court: Court
  readonly logs: LogChecker
  readonly presence: PresenceChecker
  readonly visitors: Visitor[] = []
  /** Visitors whose clients are over. */
  readonly gone: Visitor[] = []
  /** What the wire has shown of sessions' secrets, by session. */
  readonly secrets = new Map<string, Stolen>()
  /** What becomes of the next token that a visitor asks for, where that is no good one. */
  readonly faultyTokens = new Map<string, 'fails' | 'is bad'>()
  server: SimulatedServer | undefined
  /** Whether there is a server, and whether it is about to go. */
  state: 'up' | 'leaving' | 'down' = 'down'
  /** By how much the clock of the machine that the server runs on is wrong (ms). */
  skewMs = 0
  /** When everybody went (ms): what comes then is but waiting. */
  leftAtMs: number | undefined
  /** Messages that went over the wire. */
  events = 0
  readonly #begunAt: number
  readonly #terms: WorldTerms
  readonly #fence: FenceChecker
  readonly #closing: ClosingChecker
  readonly #typing: TypingChecker
  readonly #bound: BoundChecker
  readonly #listeners: readonly WireListener[]
  #lastNumber = 0

  constructor(terms: WorldTerms) {
    const { seed, setting, scheduler } = terms
    this.#terms = terms
    this.setting = setting
    this.clock = new VirtualClock(undefined, scheduler)
    this.#begunAt = this.clock.now()
    this.random = new SeededRandom(seed)
    this.court = new Court(() => this.nowMs)
    this.network = new Network(this.clock, {
      seed: this.random.between(0, 2 ** 31),
      latencyMs: [0, setting.latencyMs],
      splitChance: 0.2,
      highWaterBytes: 16_384,
    })
    const diskSeed = this.random.between(0, 2 ** 31)
    if (setting.store !== 'nothing') {
      this.disk = new VirtualDisk(this.clock, { seed: diskSeed, latencyMs: [0, setting.diskMs] })
    }
    // What is asked of a room waits for the disk, if for nothing else.
    const delayMs = setting.store === 'nothing' ? 0 : 20_000
    this.logs = new LogChecker(this.court)
    this.presence = new PresenceChecker(this.court, bounds.presenceGraceMs, delayMs)
    this.#fence = new FenceChecker(this.court)
    this.#closing = new ClosingChecker(this.court)
    this.#typing = new TypingChecker(this.court, bounds.typingMs, delayMs)
    this.#bound = new BoundChecker(this.court, { ...bounds, highWaterBytes: 16_384, frameBytes: 7_000 })
    const { logs, presence } = this
    this.#listeners = [
      { received: () => this.events++, sent: (connection, message) => this.#sent(connection, message) },
      // Whose session is whose is known first: the others look it up.
      presence,
      logs,
      this.#fence,
      this.#typing,
      this.#bound,
      this.#closing,
      ...(terms.trace === undefined ? [] : [tracing(this.court, terms.trace)]),
    ]
  }

  /** Whether sessions outlive the server's process. */
  get keepsSessions(): boolean {
    return this.setting.store === 'sessions' || this.setting.store === 'both'
  }

  /** Whether rooms' logs do. */
  get keepsLogs(): boolean {
    return this.setting.store === 'logs' || this.setting.store === 'both'
  }

  /** The time since the beginning (ms). */
  get nowMs(): number {
    return this.clock.now() - this.#begunAt
  }

  /** Starts a server, and lets it be reached. */
  start(): void {
    const server = new SimulatedServer({
      clock: this.clock,
      random: this.random,
      disk: this.disk,
      setting: this.setting,
      listeners: this.#listeners,
      inspect: this.#terms.inspect,
      failed: () => this.failed(),
      again: (says) => this.court.accuse('ONCE', says),
      roomLost: (room) => this.presence.roomLost(room),
    } as ServerTerms)
    server.process.setClock(this.skewMs)
    this.server = server
    this.state = 'up'
    // One in two is reached before it has taken its sessions in.
    if (this.random.chance(0.5)) this.network.listen('server', server.tap, server.process)
    else
      void server.runtime.whenReady().then(
        () => this.#listen(server),
        () => {},
      )
  }

  #listen(server: SimulatedServer): void {
    if (this.server === server && this.state !== 'down') this.network.listen('server', server.tap, server.process)
  }

  /** The runtime has given up. Its process is ended, and another started. */
  failed(): void {
    const { server } = this
    if (server !== undefined) this.leave(() => server.runtime.close())
  }

  /** Has the server go of its own will; when it has, another comes. */
  leave(how: (server: SimulatedServer) => Promise<void>): void {
    const { server } = this
    if (server === undefined) return
    this.court.excuse('server leaving')
    if (this.state === 'leaving') return void how(server).catch(() => {})
    this.state = 'leaving'
    const left = (): void => {
      if (this.server !== server) return
      const { pending } = server.process
      if (pending > 0) this.court.accuse('CLOSED', `a server that has ended leaves ${pending} timers`)
      server.process.kill()
      this.network.lose('server')
      this.lost()
      this.clock.setTimeout(() => this.start(), 500)
    }
    how(server).then(left, left)
  }

  /** The server's process is gone, by whatever way. */
  lost(): void {
    this.state = 'down'
    this.server = undefined
    this.#fence.reset()
    this.#closing.reset()
    this.#typing.reset()
    this.#bound.reset()
    this.presence.reset(this.keepsSessions)
    this.court.excuse('server restarted')
  }

  /** The visitor of a place; a new one takes the place of one that has left. */
  visitor(who: number): Visitor {
    const present = this.visitors[who]
    if (present !== undefined && present.client.status !== 'closed') return present
    if (present !== undefined) this.gone.push(present)
    const name = visitorName(who)
    const visitor = new Visitor(name, visitors[who] ?? '', this.network.device(name), {
      court: this.court,
      logs: this.logs,
      limits: bounds,
      keepsLogs: this.keepsLogs,
      nextNumber: () => ++this.#lastNumber,
      note: (line) => this.note(line),
      token: () => this.#token(name, visitors[who] ?? ''),
      inspect: this.#terms.inspect,
    })
    this.visitors[who] = visitor
    return visitor
  }

  /** Everybody comes, and some are in company. */
  assemble(): void {
    this.start()
    for (let who = 0; who < visitors.length; who++) {
      const visitor = this.visitor(who)
      if (who % 3 !== 2) visitor.join(rooms[0])
      if (who % 2 === 1) visitor.join(rooms[1 + (who % 3)] ?? rooms[0], { mood: who })
    }
  }

  note(line: string): void {
    this.#terms.trace?.(`${this.nowMs.toFixed(1)} ${line}`)
  }

  /** Looks at what can be looked at between two steps. */
  inspect(): void {
    const { server } = this
    if (server === undefined) return
    this.#closing.inspect()
    this.#typing.inspect(server.tap.connections)
    this.#bound.inspect(server.runtime.backpressure)
    const replaced = this.visitors.find(({ client, hasQuit }) => client.lastClose?.code === 4009 && !hasQuit)
    if (replaced !== undefined && !this.court.disturbed(replaced.device.name, 'robbed')) {
      this.court.accuse('FENCE', `${replaced.name} was replaced by nobody`)
    }
  }

  async #token(visitor: string, user: string): Promise<string> {
    await this.clock.schedule(Promise.resolve(), `token of ${user}`)
    const faulty = this.faultyTokens.get(visitor)
    this.faultyTokens.delete(visitor)
    if (faulty === 'fails') throw new Error('injected: no token')
    return faulty === undefined ? user : 'bad'
  }

  #sent(connection: Tapped, message: { readonly type: string }): void {
    this.events++
    if (message.type === 'reply') {
      this.server?.answered.add(`${connection.session} ${(message as { readonly id?: unknown }).id}`)
    }
    if (message.type !== 'welcome') return
    const { session, secret, user } = message as unknown as Stolen
    this.secrets.set(connection.device, { session, secret, user })
  }
}

function tracing(court: Court, trace: (line: string) => void): WireListener {
  const note = ({ device }: Tapped, what: string): void => trace(`${court.now.toFixed(1)} ${device} ${what}`)
  return {
    opened: (connection) => note(connection, 'has a socket'),
    received: (connection, message) => note(connection, `→ ${JSON.stringify(message)}`),
    sent: (connection, message) => note(connection, `← ${JSON.stringify(message)}`),
    closing: (connection, code) => note(connection, `← close ${code}`),
    ended: (connection, code) => note(connection, `has none any more (${code})`),
  }
}
