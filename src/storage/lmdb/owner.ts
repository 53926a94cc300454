import { readFileSync } from 'node:fs'

/**
 * Who has a store open. A process id says little: the kernel gives it again, and each container counts from 1. Together
 * with the moment at which the process began, in ticks since the machine was started, it names one process.
 */
export interface Owner {
  readonly pid: number
  /** '' where the system does not tell. */
  readonly began: string
  /** Which run of the machine it was; '' where the system does not tell. */
  readonly boot: string
}

/** This process. */
export function thisOwner(): Owner {
  return { pid: process.pid, began: beginOf(process.pid), boot: currentBoot() }
}

/** Whether the process is there and is the one that was meant. False as well where the system does not tell. */
export function isRunning({ pid, began, boot }: Owner): boolean {
  return began !== '' && boot === currentBoot() && began === beginOf(pid)
}

/** Whether the machine has been started anew since, as far as one can tell: where one cannot, it may have been. */
export function hasRestartedSince({ boot }: Owner): boolean {
  return boot === '' || boot !== currentBoot()
}

function currentBoot(): string {
  return readProc('sys/kernel/random/boot_id').trim()
}

/** The process's name is in parentheses and may hold anything; what follows the last one is in order. */
function beginOf(pid: number): string {
  const stat = readProc(`${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A process that is dead, and that its parent has not asked after yet, has nothing open.
  if (fields[0] === 'Z' || fields[0] === 'X') return ''
  return fields[19] ?? ''
}

function readProc(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, 'utf8')
  } catch {
    return ''
  }
}
