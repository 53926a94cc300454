import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MachineCoverage, simulate, type SimulationPlan } from '../../src/testing/index.ts'
import { repository } from '../package/sandbox.ts'
import * as machines from '../../machines/index.ts'
import { bugs } from './bugs.ts'
import { found } from './found.ts'
import { mutantOf } from './mutant.ts'
import { unreached } from './unreached.ts'

/** `npm run simulate`, as somebody would type it. */
async function command(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/simulate.ts', ...args], { cwd: repository })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

const histories = join(repository, 'test/simulation/histories')

interface History {
  readonly seed: number
  readonly promise: string
  readonly plan: SimulationPlan
}

/** A history that once broke a promise, by the name of the bug that made it. */
const historyOf = (name: string): History =>
  JSON.parse(readFileSync(join(histories, `${name.replaceAll(' ', '-')}.json`), 'utf8')) as History

describe('the simulation', () => {
  it('[ORDER] [ONCE] [GAPLESS] [FENCE] [PRESENCE] [TYPING] [BOUND] [CLOSED] [ISOLATE] finds every promise kept', async () => {
    const { code, output } = await command('--runs', '700', '--seed', '1')
    expect(output).toMatch(/^700 runs in /)
    expect([code, output.includes('Broken')]).toEqual([0, false])
  }, 180_000)

  it('is the same run for the same seed, to the byte', async () => {
    const { code, output } = await command('--runs', '20', '--seed', '5000', '--pairs')
    expect([code, output.includes('two different runs')]).toEqual([0, false])
    const traces = await Promise.all(
      [1, 2].map(async (seed) => {
        const lines: string[] = []
        await simulate({ seed, trace: (line) => void lines.push(line) })
        return lines.join('\n')
      }),
    )
    expect(traces[0]).not.toBe(traces[1])
    expect(traces[0]?.length).toBeGreaterThan(10_000)
  }, 60_000)

  it('says how to see a failure again, and by how little it can be had', async () => {
    const { code, output } = await command('--bug', 'grace ignored', '--runs', '50', '--workers', '1')
    expect(code).toBe(1)
    expect(output).toMatch(/Broken at seed \d+, by this history:\n.*\n.* cut .*\n.*\[PRESENCE\] at/)
    const [, again = ''] = /^Again: npm run simulate -- (.*)$/m.exec(output) ?? []
    const args = again.match(/"[^"]*"|\S+/g)?.map((each) => each.replaceAll('"', '')) ?? []
    expect(await command(...args)).toMatchObject({ code: 1 })
  }, 60_000)

  it.each([['--runs', 'many'], ['--bug', 'none'], ['--nothing']])('refuses %s %s', async (...args) => {
    const { code, output } = await command(...args)
    expect([code, output.includes('npm run simulate -- [options]')]).toEqual([2, true])
  })
})

describe('a bug that is put in', () => {
  it.each(bugs.map(({ name }) => name))(
    'is found: %s',
    async (name) => {
      const mutant = await mutantOf(bugs.find((bug) => bug.name === name))
      for (let seed = 1; seed <= 2_000; seed++) {
        const { failure } = await mutant.simulate({ seed, shrink: false })
        if (failure !== undefined) return
      }
      throw new Error(`Nobody has noticed that ${bugs.find((bug) => bug.name === name)?.says}.`)
    },
    180_000,
  )
})

describe('docs/simulation.md', () => {
  const page = readFileSync(join(repository, 'docs/simulation.md'), 'utf8')

  it('has a row for each bug that can be put in', () => {
    const rows = [...page.matchAll(/^\| ([^|]+) \| [A-Z]+ \| \d+ \| \d+ \|$/gm)].map(([, name]) => name)
    expect(rows).toEqual(bugs.map(({ name }) => name))
  })
})

describe('what the simulation does not reach', () => {
  it('is there in the charts', () => {
    const all = Object.values(machines).filter((each) => typeof each === 'object')
    const names = new Set(new MachineCoverage(all).report().flatMap(({ missing }) => missing))
    expect(Object.keys(unreached).filter((name) => !names.has(name))).toEqual([])
  })
})

describe('a history that broke a promise', () => {
  it('is kept for each bug that was found', () => {
    const kept = readdirSync(histories).map((file) => file.replace('.json', '').replaceAll('-', ' '))
    expect(kept.toSorted()).toEqual(found.map(({ name }) => name).toSorted())
  })

  it.each(found.map(({ name }) => name))(
    'breaks none any more, and does with the bug put back in: %s',
    async (name) => {
      const { seed, plan, promise } = historyOf(name)
      const mutant = await mutantOf(found.find((bug) => bug.name === name))
      expect((await mutant.simulate({ seed, plan })).failure?.broken.promise).toBe(promise)
      expect((await simulate({ seed, plan })).failure).toBeUndefined()
    },
  )
})
