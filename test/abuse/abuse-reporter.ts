import type { Reporter, TestModule } from 'vitest/node'
import type { Figures } from './figures.ts'

const kibibyte = 1024

/** Prints what was measured of each line of the abuse list, when all of them have been tried. */
export default class AbuseReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const head = ['times', 'quiet', 'abused', 'ratio', 'tries', 'held before', 'after']
    const lines = ['', format(head, 'p99 of the bystanders’ messages (ms), and what the server holds (KiB)')]
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { abuse, notes = [] } = test.meta()
        const mark = test.result().state === 'passed' ? '' : '✗ '
        const title = mark + test.name.replace('[ISOLATE] [BOUND] ', '')
        if (abuse !== undefined) lines.push(format(cells(abuse), title))
        for (const note of notes) lines.push(format([], `  ${note}`))
      }
    }
    console.log(lines.join('\n'))
  }
}

function cells({ times, quietMs, abusedMs, attempts, beforeBytes, afterBytes }: Figures): string[] {
  return [
    String(times),
    quietMs.toFixed(1),
    abusedMs.toFixed(1),
    `${(abusedMs / quietMs).toFixed(1)} ×`,
    String(attempts),
    (beforeBytes / kibibyte).toFixed(0),
    (afterBytes / kibibyte).toFixed(0),
  ]
}

const format = (cells: readonly string[], title: string): string =>
  `${cells.map((cell) => cell.padStart(12)).join('')}  ${title}`
