import { utf8Length } from '../../protocol/index.ts'
import { systemEnvironment, type Environment } from '../../runtime/ports/environment.ts'
import type { Acceptor, ConnectRequest } from '../../runtime/ports/transport.ts'
import { Pseudonyms } from './pseudonyms.ts'
import { RecordedSocket } from './recorded-socket.ts'
import { formatVersion, type TraceRecord } from './trace-record.ts'

/** What can be recorded of a connection, without where it stands. */
export type RecordedEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'binary'; readonly bytes: Uint8Array }
  | { readonly type: 'ping' | 'pong' }
  | { readonly type: 'drained'; readonly buffered: number }
  | { readonly type: 'closed'; readonly code: number }
  | { readonly type: 'full'; readonly writes: number; readonly buffered: number }

/** How a trace is recorded. */
export interface RecordTraceOptions {
  /** What time, ids and randomness are taken from. @default the system's */
  readonly environment?: Environment
  /** How large the trace may become; then the recording stops, and says so (bytes). @default 16_777_216 */
  readonly maxBytes?: number
  /**
   * Whether the tokens of upgrade requests, `hello` and `auth` are replaced: by `token-1`, `token-2`, … or by what a
   * function makes of them; the same for the same token. @default true
   */
  readonly redact?: boolean | ((token: string) => string)
}

/** Records what comes in, between a transport and a runtime. Made by {@link recordTrace}. */
export class TraceRecorder {
  /** For the runtime: it gives out what the environment underneath does, and writes it down. */
  readonly environment: Environment
  readonly #base: Environment
  readonly #startedAt: number
  readonly #maxBytes: number
  readonly #pseudonyms: Pseudonyms | undefined
  readonly #lines: string[] = []
  #bytes = 0
  #at = 0
  /** When it stopped by itself, if it has (ms since the start). */
  #stoppedAt: number | undefined
  #connections = 0
  #isTaken = false
  /** The runtime's own calls since the last event. */
  #steps = 0
  #isInBreath = false

  /** @internal */
  constructor({ environment = systemEnvironment(), maxBytes = 16_777_216, redact = true }: RecordTraceOptions) {
    if (!(maxBytes >= 0)) throw new RangeError(`maxBytes must be a number ≥ 0, not ${maxBytes}`)
    this.#base = environment
    this.#maxBytes = maxBytes
    if (redact !== false) this.#pseudonyms = new Pseudonyms(redact === true ? undefined : redact)
    this.#startedAt = environment.clock.now()
    this.environment = this.#recorded(environment)
  }

  /** Why it records no more, if it does not. */
  get stopped(): 'max-bytes' | undefined {
    return this.#stoppedAt === undefined ? undefined : 'max-bytes'
  }

  /** How large the trace is so far (bytes). */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Stands between a transport and a runtime: hand it to the transport in the runtime's place.
   *
   * @throws Error when it has been called before: a trace is of one runtime
   */
  around(runtime: Acceptor): Acceptor {
    if (this.#isTaken) throw new Error('A trace is of one runtime: make another recorder.')
    this.#isTaken = true
    return {
      accept: (socket, request) => {
        const connection = ++this.#connections
        this.#accept(connection, request)
        const recorded = new RecordedSocket(socket, (event, within) => this.#note(connection, event, within))
        return recorded.listen(runtime.accept(recorded, request))
      },
    }
  }

  /** @internal The lines of the trace so far: see {@link writeTrace}. */
  lines(): readonly string[] {
    const header = { greenroom: 'trace', version: formatVersion, startedAt: this.#startedAt }
    const { stopped } = this
    const end = { at: this.#stoppedAt ?? this.#now(), type: 'end', ...(stopped === undefined ? {} : { stopped }) }
    return [JSON.stringify(header), ...this.#lines, JSON.stringify(end)]
  }

  #accept(connection: number, { protocol, address, url, token }: ConnectRequest): void {
    if (this.#stoppedAt !== undefined) return
    const shown = token === undefined ? {} : { token: this.#pseudonyms?.of(token) ?? token }
    this.#write({ at: this.#now(), type: 'accept', connection, ...this.#place(), protocol, address, url, ...shown })
  }

  #note(connection: number, event: RecordedEvent, within?: 'resume' | 'terminate'): void {
    if (this.#stoppedAt !== undefined) return
    const { type, ...told } = event
    // A socket that is full is the runtime's own doing: it is no event, and nothing is placed by it.
    const place = type === 'full' ? {} : { ...this.#place(), ...(within === undefined ? {} : { within }) }
    const said = type === 'text' ? this.#said(event.text) : type === 'binary' ? { base64: base64Of(event.bytes) } : told
    this.#write({ at: this.#now(), type, connection, ...place, ...said } as TraceRecord)
  }

  #said(frame: string): { text: string } | { json: unknown } {
    const text = this.#pseudonyms?.inFrame(frame) ?? frame
    try {
      const json: unknown = JSON.parse(text)
      if (JSON.stringify(json) === text) return { json }
    } catch {
      // It is shown as the text that it is.
    }
    return { text }
  }

  /** What has run since the last event. */
  #place(): { steps?: number; joined?: true } {
    const steps = this.#steps
    this.#steps = 0
    return { ...(steps === 0 ? {} : { steps }), ...(this.#breathe() ? { joined: true } : {}) }
  }

  /** Whether something else has run already since promises were last followed up. */
  #breathe(): boolean {
    if (this.#isInBreath) return true
    this.#isInBreath = true
    queueMicrotask(() => {
      this.#isInBreath = false
    })
    return false
  }

  /** The time since the start. It does not go back, even where somebody sets the system's clock. */
  #now(): number {
    this.#at = Math.max(this.#at, this.#base.clock.now() - this.#startedAt)
    return this.#at
  }

  #write(record: TraceRecord): void {
    if (this.#stoppedAt !== undefined) return
    const line = JSON.stringify(record)
    const bytes = utf8Length(line) + 1
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#stoppedAt = record.at
      return
    }
    this.#bytes += bytes
    this.#lines.push(line)
  }

  #recorded(base: Environment): Environment {
    const { clock } = base
    const step = (callback: () => void) => (): void => {
      this.#steps++
      this.#breathe()
      callback()
    }
    return {
      clock: {
        now: () => clock.now(),
        setTimeout: (callback, ms) => clock.setTimeout(step(callback), ms),
        clearTimeout: (timer) => clock.clearTimeout(timer),
        setImmediate: (callback) => clock.setImmediate(step(callback)),
      },
      random: () => {
        const value = base.random()
        this.#write({ at: this.#now(), type: 'random', value })
        return value
      },
      newId: () => {
        const value = base.newId()
        this.#write({ at: this.#now(), type: 'id', value })
        return value
      },
    }
  }
}

function base64Of(bytes: Uint8Array): string {
  // In pieces: an argument for each byte would be too many arguments.
  let characters = ''
  for (let at = 0; at < bytes.length; at += 8_192) characters += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(characters)
}

/**
 * Records what comes in to a runtime, frames and time, such that {@link replayTrace} can play it again in a test. In
 * production it stands between `wsTransport` and the runtime, from the runtime's beginning on, and costs a few
 * microseconds a frame.
 *
 * A trace holds what clients say, and their addresses: keep it as you would keep these. Tokens in upgrade requests,
 * `hello` and `auth` are replaced (`redact`), and headers are left out; but the ids that the runtime gave out stand in it,
 * and among them the secrets by which its clients resume their sessions.
 *
 * No input, and so not recorded, is what an application does by itself (`connection.send` from elsewhere than a handler,
 * `runtime.drain()`), what its functions return, and what its stores held before. Where its functions wait, let them take
 * the time from `recorder.environment.clock`.
 *
 * @example
 * ```ts
 * const recorder = recordTrace()
 * const runtime = createRuntime({ environment: recorder.environment, authenticate })
 * wsTransport(recorder.around(runtime), server)
 * process.on('SIGUSR2', () => writeFileSync('today.trace', writeTrace(recorder)))
 * ```
 * @throws RangeError when `maxBytes` is not a number ≥ 0
 */
export function recordTrace(options: RecordTraceOptions = {}): TraceRecorder {
  return new TraceRecorder(options)
}
