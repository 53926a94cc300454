/**
 * Compares Greenroom with a bare `ws` loop and with Socket.IO: the same work for each, every server in a process of its
 * own, all clients in this one. A round runs every server once for every workload, each time from a fresh start, so
 * that whatever else the machine does meets all of them alike.
 */
import { dialects, type ServerName } from './dialects.ts'
import { measure, type Reading } from './fanout/measurement.ts'
import type { Workload } from './fanout/workloads.ts'
import { readOptions, usage, type BenchOptions } from './options.ts'
import { pinClients } from './processes/cpu-pinning.ts'
import { bundleServers, type ServerBundle } from './processes/server-bundle.ts'
import { ServerProcess } from './processes/server-process.ts'
import { summarize, table, type Readings } from './report.ts'

/**
 * What share of its core a server uses when nobody else is on it: the workloads never let it rest. A reading below this
 * is taken again, once.
 */
const undisturbedLoad = 0.9

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

async function run(options: BenchOptions, bundle: ServerBundle): Promise<Readings[]> {
  const { rounds, workloads, servers, windowMs, profileDirectory } = options
  const prefix = pinClients()
  const profiling = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  if (prefix.length === 0) progress('Servers and clients are not pinned to cores of their own: expect more noise.')

  const read = async (workload: Workload, name: ServerName): Promise<Reading> => {
    const server = await ServerProcess.start([...prefix, process.execPath, ...profiling, bundle.pathOf(name)])
    try {
      const reading = await measure(workload, dialects[name], server, windowMs)
      const { perSecond, serverLoad } = reading.saturated
      progress(`${workload.name} ${name}: ${Math.round(perSecond)}/s, server at ${Math.round(serverLoad * 100)} %`)
      return reading
    } finally {
      await server.stop()
    }
  }
  // Which readings count is decided by the load alone, never by the figure, and for all servers alike.
  const readUndisturbed = async (workload: Workload, name: ServerName): Promise<Reading> => {
    const first = await read(workload, name)
    if (first.saturated.serverLoad >= undisturbedLoad) return first
    progress('Something else used the core of this server; once more.')
    const second = await read(workload, name)
    return second.saturated.serverLoad > first.saturated.serverLoad ? second : first
  }

  const collected = workloads.map((workload) => ({
    workload,
    byServer: new Map<ServerName, Reading[]>(servers.map((name) => [name, []])),
  }))
  for (let round = 1; round <= rounds; round++) {
    progress(`Round ${round} of ${rounds}`)
    for (const { workload, byServer } of collected) {
      for (const [name, readings] of byServer) readings.push(await readUndisturbed(workload, name))
    }
  }
  return collected
}

function options(): BenchOptions {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    progress(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const asked = options()
// Servers end with this process: see `ServerProcess`.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
const bundle = bundleServers()
process.once('exit', () => bundle.remove())

const readings = await run(asked, bundle)
console.log(table(readings))
console.log()
console.log(JSON.stringify(summarize(readings)))
