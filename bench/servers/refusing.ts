import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRuntime, type RuntimeOptions } from 'greenroom'
import { jwt } from 'greenroom/auth'
import type { RefusingOptions } from '../refusals/attempts.ts'
import { answerRunner } from './control-channel.ts'

// A server that somebody tries to enter, again and again. What it is told decides whom it refuses, and when.

/** All come from one address, one after the other. */
const unlimited: RuntimeOptions = {
  connectionsPerAddress: Infinity,
  unauthenticatedConnections: Infinity,
  connectionsPerUser: Infinity,
  upgradesPerSecond: Infinity,
  // What is left of a client that has left is to be gone when it is measured.
  resumeWindowMs: 0,
}

const { secret, headersTimeoutMs = 10_000, ...options } = JSON.parse(process.argv[2] ?? '{}') as RefusingOptions
const runtime = createRuntime({ authenticate: jwt({ secret }), ...unlimited, ...options })
const server = createServer({
  headersTimeout: headersTimeoutMs,
  requestTimeout: headersTimeoutMs,
  connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs / 2),
})
runtime.attach(server)
server.listen(0, '127.0.0.1', () => answerRunner((server.address() as AddressInfo).port))
