import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import type { ConnectionContext } from '../../../machines/index.ts'
import { isProtocolType, subprotocol } from '../../protocol/index.ts'
import type { MemoryConnectOptions } from '../../transports/memory.ts'
import type { WireMessage } from '../received.ts'
import type { TestRuntime } from '../test-runtime.ts'
import type { WireClient } from '../wire-client.ts'
import type { Outcome } from './chart-run.ts'
import type { ModelDriver, ModelEvent, SeenSnapshot } from './machine-model.ts'

/** How the client of a connection model comes in. */
export interface ConnectionModelConnect extends Omit<MemoryConnectOptions, 'address'> {
  /** What its `hello` says beside its type; without one it sends none. */
  readonly hello?: Readonly<Record<string, unknown>>
}

const prefix = 'client.'

/** A client's real connection to a runtime, to which the events of its chart are had happen from outside. */
export class ConnectionDriver implements ModelDriver {
  readonly stage: TestRuntime
  readonly client: WireClient
  readonly #device: string
  readonly #address: string
  readonly #actor: AnyActorRef
  #isDraining = false

  private constructor(stage: TestRuntime, client: WireClient, device: string, address: string, actor: AnyActorRef) {
    this.stage = stage
    this.client = client
    this.#device = device
    this.#address = address
    this.#actor = actor
  }

  /**
   * Connects, and waits for the welcome.
   *
   * @throws Error when none comes
   */
  static async open(stage: TestRuntime, { hello, ...connect }: ConnectionModelConnect): Promise<ConnectionDriver> {
    const device = `model-${stage.network.devices.size + 1}`
    const protocol = hello === undefined ? {} : { protocol: subprotocol }
    const client = await stage.connect({ ...protocol, ...connect, device })
    if (hello !== undefined) client.send({ ...hello, type: 'hello' })
    const { session } = await client.receives('welcome', {}, { withinMs: 60_000 })
    const address = stage.runtime.connections.find((connection) => connection.session === session)?.id
    const actor = address === undefined ? undefined : stage.runtime.actorAt(address)
    if (address === undefined || actor === undefined)
      throw new Error('The connection ended as soon as it was welcomed.')
    return new ConnectionDriver(stage, client, device, address, actor)
  }

  get context(): ConnectionContext {
    return (this.#actor.getSnapshot() as AnyMachineSnapshot).context as ConnectionContext
  }

  snapshot(): SeenSnapshot {
    return this.#actor.getSnapshot() as AnyMachineSnapshot
  }

  canSend(event: ModelEvent): boolean {
    if (this.client.closed.length > 0) return false
    switch (event.type) {
      case 'socket.message': {
        const { type } = messageOf(event)
        return isProtocolType(type) && type !== 'hello' && type !== 'auth'
      }
      case 'socket.hello':
      case 'identity.renew':
        return true
      case 'socket.closed':
        return event['reason'] === 'client-left' || event['reason'] === 'socket-lost'
      case 'connection.close':
        return event['reason'] === 'forbidden'
      case 'connection.handOver':
        return !this.#isDraining
      default:
        // Messages of the protocol's own types never come as the application's.
        return event.type.startsWith(prefix) && !isProtocolType(event.type.slice(prefix.length))
    }
  }

  /** What stands on the wire for an event that is a message. */
  frameOf(event: ModelEvent): string {
    if (!event.type.startsWith(prefix)) return JSON.stringify(messageOf(event))
    return JSON.stringify({ ...event, type: event.type.slice(prefix.length) })
  }

  /** What was received last that answers a request. */
  answerTo(id: unknown): WireMessage | undefined {
    return this.client.received.findLast((message) => message['id'] === id)
  }

  async send(event: ModelEvent): Promise<unknown> {
    if (event.type === 'connection.close') this.stage.runtime.connections.find(this.#isMine)?.forbid()
    else if (event.type === 'connection.handOver') this.#drain()
    else if (event.type !== 'socket.closed') this.client.send(this.frameOf(event))
    else if (event['reason'] === 'client-left') this.client.socket.close(1000)
    else this.stage.network.device(this.#device).cut()
    await this.advance(0)
    const id = event['id'] ?? messageOf(event)['id']
    const answer = id === undefined ? undefined : this.answerTo(id)
    return answer?.type === 'error' ? answer['code'] : answer?.type
  }

  async advance(ms: number): Promise<void> {
    await this.stage.clock.advance(ms)
  }

  /** Answers what the server has asked its client for. */
  async end(actor: string, outcome: Outcome): Promise<void> {
    if (actor !== 'request') throw new Error(`There is no way to end '${actor}' of a connection from outside.`)
    const id = this.client.received.findLast((message) => typeof message['id'] === 'number')?.['id']
    if ('error' in outcome) this.client.send({ type: 'error', id, code: 'internal', message: String(outcome.error) })
    else this.client.send({ type: 'reply', id, data: outcome.output })
    await this.advance(0)
  }

  readonly #isMine = ({ id }: { readonly id: string }): boolean => id === this.#address

  #drain(): void {
    this.#isDraining = true
    // It ends when the connection has, or with the stage.
    this.stage.runtime.drain().catch(() => {})
  }
}

/** The message that an event of the runtime's own carries. */
function messageOf(event: ModelEvent): WireMessage {
  return (event['message'] ?? { type: '' }) as WireMessage
}
