import { execFile } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Handlers } from 'greenroom'
import { createTestRuntime } from 'greenroom/testing'
import { boxOffice } from '../../examples/proof/box-office.ts'
import { boxOffice as boxOfficeMended } from '../../examples/proof/box-office-mended.ts'
import { fairBills } from '../../examples/proof/property.ts'
import type { Bank } from '../../examples/proof/sale.ts'
import { repository } from '../package/sandbox.ts'

/** Runs the example as somebody would who has just cloned the repository. */
function prove(...args: string[]): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', 'examples/proof/prove.ts', ...args]
    execFile(process.execPath, command, { cwd: repository }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr })
    })
  })
}

const shortest = /1\. ada buys a ticket\n {2}2\. 20 ms later ada is cut off\n\n/
const bill = /expected {2}ada has 1 ticket, and was charged once\n {2}came {6}ada has 1 ticket, and was charged twice/

describe('examples/proof', () => {
  it('fails by a history of two steps, which can be had again, and tells what happened', async () => {
    const { code, output } = await prove()
    expect(output).toMatch(shortest)
    expect(output).toMatch(bill)
    expect(output.match(/^ +\d+ ms {2}.*/gm)?.map((line) => line.replace(/.* ms {2}/, ''))).toEqual([
      'ada buys a ticket',
      'the bank charges ada',
      'ada is cut off',
      'ada is back',
      'the bank charges ada',
      'ada has a ticket for seat 2',
    ])
    expect(code).toBe(1)
    const [, again = ''] = /npm run prove -- (--seed .*)/.exec(output) ?? []
    const replayed = await prove(...again.split(' '))
    expect(replayed.output).toMatch(shortest)
    expect(replayed.code).toBe(1)
  })

  it('passes when it is mended', async () => {
    const { code, output } = await prove('--mended')
    expect(output).toContain('RIGHT, in each of 300 histories')
    expect(code).toBe(0)
  })

  it.each([1, 2, 3, 4])('is made as short by other chances: seed %i', async (seed) => {
    const { counterexample, errorInstance } = await fc.check(fairBills(boxOffice), { seed, numRuns: 300 })
    const [steps] = counterexample ?? []
    const who = steps?.[0]?.who
    expect(steps).toEqual([
      { afterMs: 0, who, what: 'buys a ticket' },
      { afterMs: 20, who, what: 'is cut off' },
    ])
    expect((errorInstance as Error).message).toContain(`${who} has 1 ticket, and was charged twice`)
  })

  describe.each([
    ['as it is', boxOffice],
    ['mended', boxOfficeMended],
  ] as const)('the box office, %s', (_, open: (bank: Bank, seats: number) => Handlers) => {
    it('sells each seat once, puts it back when the bank declines, and says when it has none left', async () => {
      let isRich = false
      const charge = async (): Promise<void> => {
        if (!isRich) throw new Error('no money')
      }
      await using stage = createTestRuntime({ handlers: open({ charge }, 2) })
      const [ada, bob] = [stage.client(), stage.client()]
      const buy = (client: typeof ada): Promise<unknown> =>
        client.request('buy').then(
          (ticket) => ticket,
          ({ code }: { code: string }) => code,
        )
      const together = async (...answers: Promise<unknown>[]): Promise<unknown[]> => {
        await stage.clock.advance(1_000)
        return Promise.all(answers)
      }
      expect(await together(buy(ada), buy(bob), buy(ada))).toEqual(['declined', 'declined', 'declined'])
      expect(await together(ada.request('free'))).toEqual([2])
      isRich = true
      const tickets = await together(buy(ada), buy(bob), buy(bob))
      expect(new Set(tickets)).toEqual(new Set([{ seat: 1 }, { seat: 2 }, 'sold-out']))
    })
  })
})
