import { onTestFinished } from 'vitest'
import { TestRuntime, type TestRuntimeOptions, type WireClient } from '../src/testing/index.ts'
import { memoryTransport, type MemoryConnectOptions, type MemoryTransport } from '../src/transports/memory.ts'

export type RawClient = WireClient

/** A runtime on virtual time with clients in a row. It is closed after the test, and nothing of it may be left. */
export class Stage extends TestRuntime {
  /** Connects without a network in between. */
  readonly transport: MemoryTransport

  constructor(options: TestRuntimeOptions = {}, seed = 1) {
    super({ seed, ...options })
    this.transport = memoryTransport(this.runtime, { clock: this.clock })
    onTestFinished(() => this.close())
  }

  /** Connects by hand and joins a room. */
  override member(room = 'main', options: MemoryConnectOptions = {}): Promise<RawClient> {
    return super.member(room, options)
  }
}
