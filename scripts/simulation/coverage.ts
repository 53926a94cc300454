import * as machines from '../../machines/index.ts'
import { MachineCoverage } from '../../src/testing/index.ts'
import { unreached } from '../../test/simulation/unreached.ts'

/** What of each machine was reached, and why the rest was not. */
export function describeCoverage(reached: ReadonlySet<string>): string {
  const coverage = new MachineCoverage(
    Object.values(machines).filter((each) => typeof each === 'object'),
    reached,
  )
  const lines = ['', 'machine        states    transitions']
  let [all, there] = [0, 0]
  const missing: string[] = []
  for (const { machine, states, transitions, missing: its } of coverage.report()) {
    lines.push(`${machine.padEnd(14)} ${states.join(' of ').padEnd(9)} ${transitions.join(' of ')}`)
    all += states[1] + transitions[1]
    there += states[0] + transitions[0]
    missing.push(...its)
  }
  const explained = missing.filter((each) => each in unreached)
  lines.push(
    '',
    `${((100 * there) / all).toFixed(1)} % reached, ${((100 * (there + explained.length)) / all).toFixed(1)} % with what is explained`,
    ...explained.map((each) => `  ${each}: ${unreached[each]}`),
    ...missing.filter((each) => !(each in unreached)).map((each) => `  ${each}: not in these runs`),
  )
  return lines.join('\n')
}
