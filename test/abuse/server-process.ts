import { jwt } from 'greenroom/auth'
import {
  createRuntime,
  RequestError,
  systemEnvironment,
  type Authenticate,
  type Handlers,
  type RuntimeOptions,
  type TelemetryEvent,
} from 'greenroom'
import { countedEnvironment } from '../system/counted-environment.ts'
import type { Asked, Rest, Sample } from './server.ts'

// A process of its own, started with `--expose-gc`: the server that is abused. What goes wrong in it is its own to tell.

const { jwtSecret, ...options } = JSON.parse(process.argv[2] ?? '{}') as RuntimeOptions & { jwtSecret?: string }
const ended: Record<string, number> = {}
const told: Record<string, number> = {}
const faults: string[] = []
/** What must not be told, and whether it was. */
let hidden: string | undefined
let wasTold = false

const fault = (text: string): void => {
  faults.push(text)
  console.error(text)
}
process.on('unhandledRejection', (error) => fault(`unhandled rejection: ${String(error)}`))
process.on('uncaughtException', (error) => fault(`uncaught exception: ${error.stack ?? String(error)}`))

/** A token is a name; `slow…` takes until its client is gone, `bad…` is nobody's, `name@500` expires after 500 ms; what follows `!` says nothing. */
const byName: Authenticate = async ({ token = '' }, { signal }) => {
  if (token.startsWith('bad')) throw new Error('nobody')
  if (token.startsWith('slow')) {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone')), { once: true }))
  }
  const [id = '', lifeMs] = token.replace(/!.*/, '').split('@')
  return { user: { id }, ...(lifeMs === undefined ? {} : { expiresAt: Date.now() + Number(lifeMs) }) }
}

const handlers: Handlers = {
  echo: (data) => data,
  throws: () => {
    throw new Error('a secret of the application')
  },
  refuses: () => {
    throw new RequestError('sold-out', 'There are none left.')
  },
  rejects: () => Promise.reject(new Error('a secret of the application')),
  never: () => new Promise(() => {}),
}

const { environment, pending } = countedEnvironment(systemEnvironment())
const runtime = createRuntime({
  environment,
  handlers,
  authenticate:
    jwtSecret === undefined ? byName : jwt({ secret: jwtSecret, audience: 'here', issuer: 'https://id.example' }),
  ...(jwtSecret === undefined ? { guest: () => ({ id: `guest ${environment.newId()}` }) } : {}),
  authorize: ({ room }) => !room.startsWith('forbidden'),
  telemetry: (event) => {
    if (hidden !== undefined) wasTold ||= textOf(event).includes(hidden)
    if (event.type === 'connection.closed') ended[event.reason] = (ended[event.reason] ?? 0) + 1
    else if (!/^(connection|authentication|request|resume|session)\./.test(event.type))
      told[event.type] = (told[event.type] ?? 0) + 1
  },
  ...options,
})

process.on('SIGTERM', () => void runtime.drain().then(() => process.disconnect()))

function textOf(event: TelemetryEvent): string {
  return JSON.stringify(event, (_, value: unknown) => (value instanceof Error ? String(value.stack) : value))
}

function resources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

function sample(): Sample {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { census } = runtime
  const maxRss = process.resourceUsage().maxRSS * 1024
  const cpu = process.cpuUsage()
  return {
    heldBytes: heapUsed + external,
    rss,
    maxRss,
    cpuMicros: cpu.user + cpu.system,
    census,
    ended,
    told,
    faults,
    timers: pending(),
    sockets: resources()['TCPSocketWrap'] ?? 0,
  }
}

const isAtRest = ({ census, timers, sockets }: Rest): boolean => {
  const now = runtime.census
  return (
    now.connections <= census.connections &&
    now.sessions <= census.sessions &&
    now.rooms <= census.rooms &&
    pending() <= timers &&
    (resources()['TCPSocketWrap'] ?? 0) <= sockets
  )
}

/** Answers when nothing is left but what was there before, or after a time that is long enough for that. */
function answerAtRest(id: number, rest: Rest, withinMs: number): void {
  const deadline = performance.now() + withinMs
  const look = (): void => {
    if (isAtRest(rest) || performance.now() >= deadline) process.send?.({ id, answer: sample() })
    else setTimeout(look, 5)
  }
  look()
}

process.on('message', ({ id, asked }: { id: number; asked: Asked }) => {
  if (asked.type === 'sample') process.send?.({ id, answer: sample() })
  else if (asked.type === 'rest') answerAtRest(id, asked.rest, asked.withinMs)
  else if (asked.type === 'ended') process.send?.({ id, answer: ended })
  else if (asked.type === 'slow') process.send?.({ id, answer: runtime.backpressure.readers })
  else if (asked.type === 'memory') process.send?.({ id, answer: process.memoryUsage.rss() })
  else if (asked.type === 'hide') {
    hidden = asked.text
    process.send?.({ id, answer: wasTold })
  } else void runtime.close().then(() => process.disconnect())
})

const port = await runtime.listen(0, { host: '127.0.0.1' })
process.send?.({ port })
