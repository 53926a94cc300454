import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Attacker } from './attacker.ts'
import { fuzzRun, inputsPerRun, perform, type Visit } from './fuzz-run.ts'
import { AbusedServer, type Sample } from './server.ts'

const inputs = Number(process.env['FUZZ_INPUTS'] ?? 100_000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const mebibyte = 1024 * 1024
/** Where a run that failed is replayed from, and then shrunk. Each step of that may end the server, so it takes time. */
const path = process.env['FUZZ_PATH']
/**
 * What the heap may be larger by: it is never the same twice, by up to 1.2 MiB; of three times the inputs it was no more.
 * A leak of 26 bytes an input would show.
 */
const grownBytes = 2 * mebibyte
/** How long one run may take beyond all reason (ms). */
const patienceMs = 20_000

/** Everything that is not a fault may be said: rates have tests of their own, and what is refused is not looked at. */
const unlimited = {
  messagesPerSecond: 1e9,
  messageBurst: 1e9,
  userMessagesPerSecond: 1e9,
  userMessageBurst: 1e9,
  upgradesPerSecond: 1e9,
  upgradeBurst: 1e9,
  bytesPerSecond: 1e12,
  bytesBurst: 1e12,
  userBytesPerSecond: 1e12,
  userBytesBurst: 1e12,
}
const shortTimes = {
  resumeWindowMs: 100,
  presenceGraceMs: 50,
  roomLingerMs: 200,
  typingMs: 100,
  handlerTimeoutMs: 500,
  closeTimeoutMs: 500,
  credentialsTimeoutMs: 500,
  idempotencyMs: 500,
}
const nobody = { census: { connections: 0, sessions: 0, rooms: 0 }, timers: 0, sockets: 0 }

/** A run is too long to be shown. */
function reportReplay(run: fc.RunDetails<[visits: readonly Visit[]]>): void {
  const { failed, errorInstance, seed, counterexamplePath } = run
  if (!failed) return
  const how = `FUZZ_SEED=${seed} FUZZ_PATH=${counterexamplePath} npx vitest run test/abuse/fuzz.test.ts`
  throw new Error(`A run failed. This replays it, and looks for a shorter one: ${how}`, { cause: errorInstance })
}

describe('a live server', () => {
  let server: AbusedServer | undefined
  afterAll(() => server?.kill())

  /** The server; a new one where the last run ended it, or else whatever is tried next would seem to be at fault. */
  async function living(): Promise<AbusedServer> {
    if (server === undefined || server.complaint !== '') {
      server?.kill()
      server = await AbusedServer.start({ ...unlimited, ...shortTimes })
    }
    return server
  }

  /** Somebody who does nothing wrong comes in, is heard, and goes. */
  async function witness(port: number): Promise<void> {
    const client = await Attacker.connect(port)
    await client.enter({ token: 'witness' })
    expect(await client.ask({ type: 'echo', data: 'still here' })).toMatchObject({ data: 'still here' })
    await client.leave()
  }

  it(
    `[ISOLATE] [BOUND] [CLOSED] takes ${inputs} arbitrary inputs, and neither crashes nor rejects nor grows`,
    { timeout: 900_000 },
    async ({ task }) => {
      const begun = performance.now()
      let [runs, opened] = [0, 0]
      let warm: Sample | undefined
      const wanted = Math.ceil(inputs / inputsPerRun)
      await fc.assert(
        fc.asyncProperty(fuzzRun, async (visits) => {
          const { port } = await living()
          const late = new Promise<never>((_, reject) =>
            setTimeout(() => reject(new Error('The server does not answer.')), patienceMs).unref(),
          )
          const counts = await Promise.race([Promise.all(visits.map((visit) => perform(port, visit))), late])
          opened += counts.reduce((sum, count) => sum + count)
          await Promise.race([witness(port), late])
          expect(server?.complaint).toBe('')
          if (++runs === Math.ceil(wanted / 5)) warm = await server?.rest(nobody)
        }),
        path === undefined
          ? { numRuns: wanted, seed, endOnFailure: true, reporter: reportReplay }
          : { seed, path, endOnFailure: false },
      )
      const after = await (await living()).rest(nobody)
      const held = ({ heldBytes = NaN }: Partial<Sample> = {}): string => (heldBytes / mebibyte).toFixed(2)
      task.meta.notes = [
        `${runs * inputsPerRun} inputs on ${opened} connections in ${((performance.now() - begun) / 1_000).toFixed(1)} s`,
        `held ${held(warm)} MiB after a fifth of them, ${held(after)} MiB after all; FUZZ_SEED=${seed}`,
      ]
      expect(after.faults).toEqual([])
      expect(after).toMatchObject(nobody)
      expect(after.heldBytes - (warm?.heldBytes ?? NaN)).toBeLessThanOrEqual(grownBytes)
      expect(Object.keys(after.told)).toEqual(['callback.threw'])
    },
  )
})
