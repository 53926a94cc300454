import type { AnyStateMachine } from 'xstate'
import type { EndReason } from '../../../machines/index.ts'
import { decodeClientMessage, RequestError, type ErrorCode } from '../../protocol/index.ts'
import { endings, reasonOfClose } from '../../runtime/connection/endings.ts'
import { connectionTiming } from '../../runtime/connection/timing.ts'
import type { TestRuntime } from '../test-runtime.ts'
import { ConnectionDriver, type ConnectionModelConnect } from './connection-driver.ts'
import type { Outcome } from './chart-run.ts'
import { MachineModel, type MachineModelOptions, type ModelEvent } from './machine-model.ts'

/** How a connection machine is held against its connections. */
export interface ConnectionModelOptions<Machine extends AnyStateMachine = AnyStateMachine> extends Pick<
  MachineModelOptions<Machine>,
  'compare' | 'actors'
> {
  /** How the client comes in. @default without credentials */
  readonly connect?: ConnectionModelConnect
}

const prefix = 'client.'

/** What the runtime does about an event that a chart does not take. */
const insteadClosed: Readonly<Record<string, EndReason>> = { 'connection.handOver': 'server-closing' }

/** A connection's chart, with what the runtime and the far end of the socket do about what it does. */
export class ConnectionModel extends MachineModel {
  readonly #driver: ConnectionDriver
  #lastId = 0
  #isClosing = false
  #requestTimer: unknown

  /** @internal */
  constructor(
    machine: AnyStateMachine,
    driver: ConnectionDriver,
    { hello, ...options }: Pick<ConnectionModelOptions<never>, 'compare' | 'actors'> & { readonly hello?: object },
    startMs: number,
  ) {
    const { guards, delays } = connectionTiming(driver.stage.runtime.settings, () => this.clock.now())
    const provided = machine.provide({
      guards: { ...guards, hasCredentials: () => hello === undefined },
      delays,
    } as never)
    super(provided, driver, { ...options, input: { link: driver.context.link } as never }, startMs)
    this.#driver = driver
  }

  /** @internal Up to the welcome. */
  override begin(hello?: object): void {
    super.begin()
    if (hello !== undefined) this.run.send({ type: 'socket.hello', message: { ...hello, type: 'hello' } } as ModelEvent)
    this.advance(this.#driver.stage.clock.now() - this.clock.now())
    this.end('authenticate', { output: this.#driver.context.identity })
  }

  override canSend(event: ModelEvent): boolean {
    return super.canSend(withDefaults(event))
  }

  override complete(event: ModelEvent): ModelEvent {
    const whole = withDefaults(event)
    // A text, as the server's own requests have numbers.
    const id = `command-${++this.#lastId}`
    if (event.type.startsWith(prefix)) return { ...whole, id }
    const { message } = whole
    return message === undefined ? whole : { ...whole, message: { ...message, id } }
  }

  override send(event: ModelEvent): unknown {
    if (event.type.startsWith(prefix)) return this.#sendMessage(event)
    if (event['message'] !== undefined) return this.#sendRequest(event)
    if (event.type === 'socket.closed') this.#isClosing = true
    if (event.type !== 'connection.handOver') return super.send(event)
    this.#drain()
    const reconnectAfterMs = this.#driver.client.of('goodbye').at(-1)?.['reconnectAfter'] ?? 0
    return this.#take({ ...event, reconnectAfterMs }) === undefined
      ? undefined
      : super.send({ type: 'connection.close', reason: insteadClosed[event.type] })
  }

  /** A message of the application's own: taken and acknowledged, or refused. */
  #sendMessage(event: ModelEvent): unknown {
    const name = event.type.slice(prefix.length)
    const { message, error } = decodeClientMessage(this.#driver.frameOf(event), new Set([name]))
    if (!this.snapshot.hasTag('open')) return super.send({ type: 'socket.message', message: message ?? error })
    if (error !== undefined) return error.code
    const { id, data } = message as { id?: unknown; data?: unknown }
    // A connection that ends by it says so by a close frame, and sends nothing more.
    return this.#take({ type: event.type, id, data }) ?? (this.snapshot.hasTag('open') ? 'ack' : undefined)
  }

  /** A message of the protocol's, which the runtime brings to the chart as an event of its own. */
  #sendRequest(event: ModelEvent): unknown {
    const { message, error } = decodeClientMessage(this.#driver.frameOf(event))
    const decoded = { ...event, message: message ?? error }
    if (event.type === 'socket.message') return super.send(decoded)
    const wasRenewing = this.runs('renew')
    const refusal = this.#take(decoded)
    if (!wasRenewing && this.runs('renew')) this.#endRenewal((event['message'] as { id: unknown }).id)
    return refusal
  }

  /** The application has decided by now, and the wire says how. */
  #endRenewal(id: unknown): void {
    const answer = this.#driver.answerTo(id)
    if (answer?.type === 'error') return this.end('renew', { error: answer['code'] })
    if (answer === undefined) return
    const { user, expiresAt } = answer as { user?: unknown; expiresAt?: unknown }
    this.end('renew', { output: { user: { id: user }, ...(expiresAt === undefined ? {} : { expiresAt }) } })
  }

  /** Has an event happen that the chart takes now, or says why it does not. */
  #take(event: ModelEvent): ErrorCode | undefined {
    let takes: boolean
    try {
      takes = this.snapshot.can(event as never)
    } catch {
      return 'internal'
    }
    if (!takes) return 'not-allowed'
    super.send(event)
    return undefined
  }

  protected override performed(action: string): void {
    if ((action !== 'sendClose' && action !== 'terminate') || this.#isClosing) return
    this.#isClosing = true
    // The far end answers a close frame, by the same code, within the turn.
    this.clock.setTimeout(() => {
      const { reason = 'server-closing' } = this.snapshot.context as { reason?: EndReason }
      this.#tell('socket.closed', action === 'terminate' ? 'socket-lost' : reasonOfClose(endings[reason].code))
    }, 0)
  }

  protected override invoked(actor: string, input: unknown): void {
    super.invoked(actor, input)
    if (actor !== 'request') return
    const { timeoutMs = this.#driver.stage.runtime.settings.requestTimeoutMs } = input as { timeoutMs?: number }
    this.clock.clearTimeout(this.#requestTimer)
    const expire = (): void =>
      this.run.end('request', { error: new RequestError('timeout', 'No answer came in time.') })
    this.#requestTimer = this.clock.setTimeout(expire, timeoutMs)
  }

  override end(actor: string, outcome: Outcome): void {
    if (actor !== 'request') return super.end(actor, outcome)
    this.clock.clearTimeout(this.#requestTimer)
    super.end(actor, 'error' in outcome ? { error: new RequestError('internal', String(outcome.error)) } : outcome)
  }

  #tell(type: string, reason: EndReason): void {
    this.run.send({ type, reason } as ModelEvent)
  }

  /** Those who do not go when they are told to are closed in the end, and then done without. */
  #drain(): void {
    const { drainMs } = this.#driver.stage.runtime.settings
    this.clock.setTimeout(() => this.#tell('connection.close', 'server-closing'), drainMs)
    this.clock.setTimeout(() => {
      this.#tell('socket.closed', 'socket-lost')
      this.run.stop()
    }, 2 * drainMs)
  }
}

/** What the runtime's own events carry when nobody has said otherwise. */
function withDefaults(event: ModelEvent): ModelEvent & { readonly message?: object } {
  switch (event.type) {
    case 'socket.message':
      return { message: { type: 'ping' }, ...event }
    case 'socket.hello':
      return { ...event, message: { ...(event['message'] as object | undefined), type: 'hello' } }
    case 'identity.renew':
      return { ...event, message: { token: '', ...(event['message'] as object | undefined), type: 'auth' } }
    case 'socket.closed':
      return { reason: 'client-left', ...event }
    case 'connection.close':
      return { reason: 'forbidden', ...event }
    default:
      return event
  }
}

/**
 * Sets a connection machine as the model of a connection to a running system, for `fc.asyncModelRun` and `modelCommands`
 * of the same machine: a client connects by hand, is welcomed, and sends `client.move` as `{ "type": "move", … }`; after
 * each command the connection's actor has to be in the state that the chart says. What the chart takes has to be
 * acknowledged, what it does not take is to be refused as `not-allowed`, and as `internal` where a guard throws.
 *
 * Of the runtime's own events those happen that can be had happen from outside: `socket.message` (a `ping`, or the
 * `message` that `events` gives), `socket.hello`, `socket.closed` (`reason`: `client-left`, or `socket-lost` for a
 * network that is cut), `connection.close` (by `Connection.forbid`), `connection.handOver` (by `runtime.drain`, once),
 * and `identity.renew` (`message: { token }`; `authenticate` has to decide without time passing). `outbox.*` does not.
 * A `request` of the chart's goes on until the `actors` of `modelCommands` have it end: then the client answers. Other
 * actors of your own end by `actors` here.
 *
 * @example
 * ```ts
 * const history = modelCommands(lobbyConnection, { events: { 'client.move': fc.record({ data: move }) } })
 * await fc.assert(
 *   fc.asyncProperty(history, async (commands) => {
 *     await using stage = createTestRuntime({ connection: lobbyConnection })
 *     await fc.asyncModelRun(() => connectionModel(stage, lobbyConnection), commands)
 *   }),
 * )
 * ```
 * @param stage - a runtime for tests; on its network everything has to arrive at once, as it does unless it is told
 * otherwise
 * @throws RangeError when the network of the stage takes time
 * @throws Error when the connection is not welcomed within a minute, or is not in the state that the chart begins in
 */
export async function connectionModel<Machine extends AnyStateMachine>(
  stage: TestRuntime,
  machine: Machine,
  { connect = {}, ...options }: ConnectionModelOptions<Machine> = {},
): Promise<{ model: ConnectionModel; real: ConnectionDriver }> {
  if (stage.network.latencyMs[1] > 0) throw new RangeError('What is sent has to arrive at once: set no latencyMs.')
  const startMs = stage.clock.now()
  const real = await ConnectionDriver.open(stage, connect)
  const { hello } = connect
  const model = new ConnectionModel(machine, real, { ...options, ...(hello && { hello }) } as never, startMs)
  model.begin(hello)
  model.agree('the welcome')
  return { model, real }
}
