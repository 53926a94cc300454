import { fromPromise } from 'xstate'
import { handlerMachine, type HandlerInput } from '../../../machines/index.ts'
import type { RequestId } from '../../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import { implement } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import { withLanes, type LanedLogic } from '../actors/lanes.ts'
import { Population } from '../actors/population.ts'

/** Something that takes time and is done for one message of a connection. */
export interface Call {
  readonly id: RequestId | undefined
  /** Whether the messages behind it wait for its end. */
  readonly ordered: boolean
  readonly timeoutMs: number
  run(signal: AbortSignal): unknown
  done(result: unknown): void
  failed(error: unknown): void
  /** What it was done with, or threw, could not even be looked at. */
  broken(error: unknown): void
  expired(): void
  /** The same is asked once more, while it is under way. */
  repeated?(): void
}

/** What waits behind a call that is under way. */
interface Waiting<Message> {
  readonly message: Message
  readonly bytes: number
}

/** How much may wait behind a call before the socket is read no more. */
export interface InboxLimits {
  readonly count: number
  readonly bytes: number
  /** Calls that may be under way beside one another. */
  readonly calls: number
}

/**
 * The calls of one connection that are under way, each an actor, and the messages that wait behind them. A connection
 * has none before its first call: most never do anything that takes time.
 */
export class Inbox<Message> {
  /** The actors of the calls, children of the connection's. */
  readonly population: Population
  readonly #core: Core
  readonly #logic: LanedLogic
  readonly #link: ConnectionLink
  readonly #limits: InboxLimits
  readonly #handle: (message: Message) => void
  /** The calls under way, by the names of their actors. */
  readonly #calls = new Map<string, Call>()
  /** The call that what comes has to wait for. */
  #ordered: string | undefined
  #waiting: Waiting<Message>[] = []
  #bytes = 0
  /** Whether a message is being handled that has waited: what comes of it is not to wait behind the others. */
  #itsTurn = false
  #pausedAt: number | undefined
  /** Whether what comes waits although nothing is under way. */
  #suspended = false
  #closed = false
  #lastCall = 0

  /** @param handle - handles a message that has waited, in the same step */
  constructor(
    core: Core,
    logic: LanedLogic,
    link: ConnectionLink,
    limits: InboxLimits,
    handle: (message: Message) => void,
  ) {
    this.#core = core
    this.#logic = logic
    this.#link = link
    this.#limits = limits
    this.#handle = handle
    this.population = new Population({
      done: (name) => this.#ended(name),
      crashed: (name, error) => {
        this.#calls.get(name)?.broken(error)
        this.#ended(name)
      },
    })
  }

  /** Whether what comes has to wait. */
  get busy(): boolean {
    return this.#occupied || (this.#waiting.length > 0 && !this.#itsTurn)
  }

  /** Whether everything waits until {@link release}. */
  get suspended(): boolean {
    return this.#suspended
  }

  /** Since when the socket has not been read, by our own wish (ms since the epoch); undefined while it is. */
  get pausedAt(): number | undefined {
    return this.#pausedAt
  }

  /** Whether the socket is not read, by our own wish. */
  get paused(): boolean {
    return this.#pausedAt !== undefined
  }

  /** The call under way that answers the request of that id. */
  find(id: RequestId): Call | undefined {
    for (const call of this.#calls.values()) if (call.id === id) return call
    return undefined
  }

  /** Puts a message by until its turn comes. */
  hold(message: Message, bytes: number): void {
    if (this.#closed) return
    this.#waiting.push({ message, bytes })
    this.#bytes += bytes
    const { budget } = this.#core
    budget.force(bytes)
    if (this.#pausedAt !== undefined) return
    if (this.#waiting.length < this.#limits.count && this.#bytes < this.#limits.bytes && !budget.spent) return
    this.#pausedAt = this.#core.environment.clock.now()
    this.#link.socket.pause()
  }

  /** From here on everything waits, what has come before as well, until {@link release}: the credentials have run out. */
  suspend(): void {
    this.#suspended = true
  }

  /** There are fresh ones. */
  release(): void {
    this.#suspended = false
    if (this.#waiting.length > 0) this.#core.environment.clock.setImmediate(this.#advance)
  }

  /** Begins a call. */
  begin(call: Call): void {
    const name = `handler:${++this.#lastCall}`
    this.#calls.set(name, call)
    if (call.ordered) this.#ordered = name
    this.#core.steps.after(() => {
      const { actor } = this.#link
      if (this.#closed || actor === undefined) return
      this.population.create(actor, this.#logic, name, 'handler', { call }).start()
    })
  }

  /** Cancels what is under way and forgets what waits. */
  close(): void {
    this.#closed = true
    this.#waiting = []
    this.#core.budget.give(this.#bytes)
    this.#bytes = 0
    this.population.stopAll()
    // The other side's answer to our close frame has to be read.
    if (this.#pausedAt !== undefined) this.#link.socket.resume()
    this.#pausedAt = undefined
  }

  get #occupied(): boolean {
    return this.#suspended || this.#ordered !== undefined || this.#calls.size >= this.#limits.calls
  }

  #ended(name: string): void {
    this.#calls.delete(name)
    if (this.#ordered === name) this.#ordered = undefined
    // The connection's actor is in the middle of hearing of this end: what it is sent now, it would handle only when
    // everything has been, and what follows would overtake it.
    if (this.#waiting.length > 0) this.#core.environment.clock.setImmediate(this.#advance)
  }

  readonly #advance = (): void => {
    while (!this.#closed && !this.#occupied) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#bytes -= next.bytes
      this.#core.budget.give(next.bytes)
      this.#itsTurn = true
      this.#handle(next.message)
      this.#itsTurn = false
    }
    if (this.#pausedAt === undefined) return
    if (this.#waiting.length > this.#limits.count / 2 || this.#bytes > this.#limits.bytes / 2) return
    this.#pausedAt = undefined
    this.#link.socket.resume()
  }
}

/** Marries the handler's chart to the calls that it is started with. */
export function handlerLogic(core: Core): LanedLogic {
  const callOf = ({ context }: { context: HandlerInput }): Call => context.call as Call
  const machine = implement(handlerMachine, {
    actors: {
      run: fromPromise<unknown, HandlerInput>(async ({ input, signal }) => (input.call as Call).run(signal)),
    },
    actions: {
      answer: (args) => callOf(args).done((args.event as { output?: unknown }).output),
      answerFailure: (args) => callOf(args).failed((args.event as { error?: unknown }).error),
      answerTimeout: (args) => callOf(args).expired(),
    },
    delays: { handlerTimeout: (args) => callOf(args).timeoutMs },
  })
  return withLanes(machine, { hot: [], ...core.lanes })
}
