import type { RuntimeOptions } from '../../runtime/options.ts'
import type { Environment } from '../../runtime/ports/environment.ts'
import type { SocketSink } from '../../runtime/ports/transport.ts'
import { RuntimeTrunk } from '../../runtime/runtime.ts'
import type { TelemetryEvent } from '../../runtime/telemetry.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { Conductor } from './conductor.ts'
import { ReplayedSocket, type ReplayedConnection } from './replayed-connection.ts'
import type { Trace, TraceEvent } from './trace.ts'

/** How a trace is replayed. */
export interface ReplayTraceOptions {
  /**
   * The options of the runtime, as they were when it was recorded; a function of the environment that it is going to have
   * where they need the time. `authenticate` is shown the pseudonyms that the trace has for tokens.
   *
   * @default none
   */
  readonly options?:
    | Omit<RuntimeOptions, 'environment'>
    | ((environment: Environment) => Omit<RuntimeOptions, 'environment'>)
}

/** What became of a trace. */
export interface Replay {
  /** In the order in which they came: connection 1 of the trace is the first. */
  readonly connections: readonly ReplayedConnection[]
  readonly telemetry: readonly TelemetryEvent[]
  /**
   * How many ids and random numbers the runtime asked for that are not in the trace. When it does what it did then, it is
   * 0; otherwise clients may show secrets that nobody has.
   */
  readonly unrecorded: number
  /** Whether the recording ended before its time, and why. */
  readonly stopped: Trace['stopped']
}

/**
 * Plays a trace again, on virtual time, to a fresh runtime. What clients sent comes as it came then, whatever they are
 * sent now. The same trace, options and code give the same frames to the byte; a trace that was recorded on virtual time
 * gives those that its clients were sent then. In real time a runtime's timers come late by some ms: where one comes
 * before a message now that came after it then, or the other way round, so do their effects.
 *
 * What functions of the application return is not in the trace: they are called again, and have to answer without real
 * input, which virtual time does not wait for.
 *
 * @example
 * ```ts
 * const trace = readTrace(readFileSync('today.trace', 'utf8'))
 * const { connections } = await replayTrace(trace, { options: { authenticate: ({ token = '' }) => ({ id: token }) } })
 * expect(connections[0]?.messages.at(-1)).toMatchObject({ type: 'message', offset: 7 })
 * ```
 * @throws RangeError, TypeError for options that `createRuntime` would not take
 */
export async function replayTrace(trace: Trace, { options = {} }: ReplayTraceOptions = {}): Promise<Replay> {
  const clock = new VirtualClock(trace.startedAt)
  const sockets: ReplayedSocket[] = []
  const sinks: SocketSink[] = []
  const conductor: Conductor = new Conductor(clock, trace, (event) => {
    if (event.type === 'accept') accept(event)
    else tell(event, sockets[event.connection - 1], sinks[event.connection - 1])
  })
  const { environment } = conductor
  const runtimeOptions = typeof options === 'function' ? options(environment) : options
  const telemetry: TelemetryEvent[] = []
  const runtime = new RuntimeTrunk({
    ...runtimeOptions,
    environment,
    telemetry: (event) => {
      telemetry.push(event)
      runtimeOptions.telemetry?.(event)
    },
  })

  function accept({ connection, protocol, address, url, token }: Extract<TraceEvent, { type: 'accept' }>): void {
    const socket = new ReplayedSocket(
      () => conductor.now,
      (within) => conductor.during(connection, within),
      trace.fullness.filter((full) => full.connection === connection),
    )
    sockets.push(socket)
    sinks.push(runtime.accept(socket, { protocol, token, address, url, headers: {} }))
  }

  conductor.begin()
  await clock.advance(trace.durationMs)
  const replay: Replay = {
    connections: sockets.map(({ frames, messages, closed }) => ({ frames: [...frames], messages, closed })),
    telemetry: [...telemetry],
    unrecorded: conductor.unrecorded,
    stopped: trace.stopped,
  }
  // Nobody answers its close frames: it waits for them as long as it does.
  const ended = runtime.close()
  await clock.advance(runtime.settings.drainMs + runtime.settings.closeTimeoutMs)
  await ended
  return replay
}

function tell(event: TraceEvent, socket: ReplayedSocket | undefined, sink: SocketSink | undefined): void {
  if (event.type === 'text') sink?.message(event.text)
  else if (event.type === 'binary') sink?.binary(event.bytes)
  else if (event.type === 'ping') sink?.ping()
  else if (event.type === 'pong') sink?.pong()
  else if (event.type === 'drained') {
    socket?.drain(event.buffered)
    sink?.drained()
  } else if (event.type === 'closed') {
    socket?.end(event.code)
    sink?.closed(event.code)
  }
}
