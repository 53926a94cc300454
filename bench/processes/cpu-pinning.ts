import { execFileSync } from 'node:child_process'

const serverCore = '0'
const clientCore = '1'

/**
 * Gives the clients a core of their own, and says how to start a server on another, where this can be done: with
 * `taskset` and two cores. Elsewhere the scheduler decides, and figures vary more.
 *
 * @returns what goes before a server's command
 */
export function pinClients(): readonly string[] {
  const serverPrefix = ['taskset', '-c', serverCore]
  try {
    runSilently([...serverPrefix, 'true'])
    // Threads that are there already count as well: they collect the garbage.
    runSilently(['taskset', '-a', '-c', '-p', clientCore, String(process.pid)])
    return serverPrefix
  } catch {
    return []
  }
}

function runSilently([program = '', ...args]: readonly string[]): void {
  execFileSync(program, args, { stdio: 'ignore' })
}
