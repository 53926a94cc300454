import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import { subprotocol } from 'greenroom/protocol'
import type { ModelDriver, ModelEvent, Outcome, SeenSnapshot, TestRuntime, WireClient } from 'greenroom/testing'
import type { WaitingCall } from '../../protocol/waiting-handler.ts'

// Running systems, each driven from outside in the words of its chart.

/** Somebody's typing indicator in a room, as another member sees it. */
export async function typingDriver(stage: TestRuntime): Promise<ModelDriver> {
  const [ada, bob] = [await stage.member('main'), await stage.member('main')]
  return {
    send: async ({ type }) => {
      ada.send({ type: 'typing', room: 'main', typing: type === 'typing.start' })
      await stage.clock.settle()
    },
    advance: (ms) => stage.clock.advance(ms),
    snapshot: () => ({ value: bob.of('typing').at(-1)?.['typing'] === true ? { typing: 'heard' } : 'idle' }),
  }
}

/** The heartbeat of a connection whose client reads its pings, and so answers them, only when it is told to. */
export async function heartbeatDriver(stage: TestRuntime): Promise<ModelDriver> {
  const { socket } = await stage.connect()
  const connection = stage.runtime.actorAt(stage.runtime.connections[0]?.id ?? '') as AnyActorRef
  const heartbeat = (connection.getSnapshot() as AnyMachineSnapshot).children['heartbeat'] as AnyActorRef
  socket.pause()
  return {
    send: async () => {
      socket.resume()
      socket.pause()
      await stage.clock.settle()
    },
    advance: (ms) => stage.clock.advance(ms),
    snapshot: () => heartbeat.getSnapshot() as SeenSnapshot,
  }
}

/**
 * A session whose client is cut off, comes back, and says goodbye, where no more than one session may wait: that of
 * somebody else who is cut off takes the place of this one.
 */
export class SessionDriver implements ModelDriver {
  readonly #stage: TestRuntime
  readonly #claim: object
  readonly #actor: AnyActorRef
  #client: WireClient | undefined

  private constructor(stage: TestRuntime, client: WireClient) {
    const { session, secret } = client.last('welcome')
    this.#stage = stage
    this.#client = client
    this.#claim = { session, secret }
    this.#actor = stage.runtime.actorAt(`session:${String(session)}`) as AnyActorRef
  }

  static async open(stage: TestRuntime): Promise<SessionDriver> {
    const client = await stage.connect({ device: 'phone' })
    await client.receives('welcome')
    return new SessionDriver(stage, client)
  }

  canSend({ type }: ModelEvent): boolean {
    return type === 'session.attach' || type === 'session.evict' || this.#client !== undefined
  }

  async send({ type }: ModelEvent): Promise<void> {
    if (type === 'session.attach') {
      this.#client = await this.#stage.connect({ protocol: subprotocol, device: 'phone' })
      this.#client.send({ type: 'hello', resume: this.#claim })
    } else if (type === 'session.evict') {
      const other = await this.#stage.connect({ device: 'other' })
      await other.receives('welcome')
      this.#stage.network.device('other').cut()
    } else {
      if (type === 'session.leave') this.#client?.socket.close(1000)
      else this.#stage.network.device('phone').cut()
      this.#client = undefined
    }
    await this.advance(0)
  }

  async advance(ms: number): Promise<void> {
    await this.#stage.clock.advance(ms)
  }

  snapshot(): SeenSnapshot {
    return this.#actor.getSnapshot() as SeenSnapshot
  }
}

/** A request to a handler that works until it is told how to end; what is seen of it is what its client is answered. */
export async function handlerDriver(stage: TestRuntime, call: (index: number) => WaitingCall): Promise<ModelDriver> {
  const client = await stage.connect()
  client.send({ type: 'work', id: 1 })
  await stage.clock.settle()
  const states: Readonly<Record<string, string>> = {
    ack: 'answered',
    reply: 'answered',
    internal: 'failed',
    timeout: 'expired',
  }
  return {
    send: () => {},
    advance: (ms) => stage.clock.advance(ms),
    end: async (_actor: string, outcome: Outcome) => {
      if ('error' in outcome) call(0).fail(outcome.error)
      else call(0).finish(outcome.output)
      await stage.clock.settle()
    },
    snapshot: () => {
      const answer = client.received.find(({ id }) => id === 1)
      if (answer === undefined) return { value: 'running' }
      return { value: states[String(answer['code'] ?? answer.type)], status: 'done' }
    },
  }
}
