import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from '../dialects.ts'
import type { ServerProcess } from '../processes/server-process.ts'
import { Crowd } from './crowd.ts'
import type { Workload } from './workloads.ts'

const warmUpMs = 800
const pacedIntervalMs = 50
const pacedMs = 1_500

/** What one server did in one round of one workload. */
export interface Reading {
  readonly saturated: {
    readonly perSecond: number
    /** CPU time of the server for each delivery (µs). */
    readonly cpuMicros: number
    /** How much of its core the server used, 1 being all. */
    readonly serverLoad: number
    /** The same of the clients: figures are a server's own only while this is below its server's. */
    readonly clientLoad: number
  }
  /** CPU time of the server for each delivery at a quiet pace (µs). */
  readonly pacedCpuMicros?: number
}

/** Takes one server through one workload, from the first connection to the last. */
export async function measure(
  workload: Workload,
  dialect: Dialect,
  server: ServerProcess,
  windowMs: number,
): Promise<Reading> {
  const crowd = await Crowd.gather(workload, dialect, server.port)
  try {
    const saturated = await saturate(crowd, server, windowMs)
    if (!workload.paced) return { saturated }
    return { saturated, pacedCpuMicros: await pace(crowd, server) }
  } finally {
    crowd.disperse()
  }
}

async function saturate(crowd: Crowd, server: ServerProcess, windowMs: number): Promise<Reading['saturated']> {
  crowd.start()
  await sleep(warmUpMs)
  const before = await sample(crowd, server)
  await sleep(windowMs)
  const after = await sample(crowd, server)
  crowd.stop()
  await crowd.settle()

  const delivered = after.delivered - before.delivered
  if (delivered === 0) throw new Error('Nothing was delivered.')
  const elapsedMs = after.atMs - before.atMs
  const cpuMicros = after.serverMicros - before.serverMicros
  return {
    perSecond: (delivered / elapsedMs) * 1_000,
    cpuMicros: cpuMicros / delivered,
    serverLoad: cpuMicros / 1_000 / elapsedMs,
    clientLoad: (after.clientMicros - before.clientMicros) / 1_000 / elapsedMs,
  }
}

/** One message at a time, so far apart that each is all there is to do. */
async function pace(crowd: Crowd, server: ServerProcess): Promise<number> {
  const before = await sample(crowd, server)
  const begin = performance.now()
  for (let due = 0; due < pacedMs; due += pacedIntervalMs) {
    await sleep(Math.max(0, begin + due - performance.now()))
    crowd.firstSpeaker.say()
  }
  await crowd.settle()
  const after = await sample(crowd, server)
  return (after.serverMicros - before.serverMicros) / (after.delivered - before.delivered)
}

async function sample(crowd: Crowd, server: ServerProcess) {
  const serverMicros = await server.cpuMicros()
  const { user, system } = process.cpuUsage()
  return { serverMicros, clientMicros: user + system, delivered: crowd.delivered, atMs: performance.now() }
}
