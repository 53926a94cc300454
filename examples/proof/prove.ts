import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { boxOffice } from './box-office.ts'
import { boxOffice as boxOfficeMended } from './box-office-mended.ts'
import { fairBills, type Step } from './property.ts'
import { WrongBill } from './story.ts'

/** `npm run prove`: a program that is wrong in a way that only an unlucky moment shows, and the search for that moment. */
const { mended, seed, path } = parseArgs({
  options: {
    mended: { type: 'boolean', default: false },
    seed: { type: 'string', default: '11' },
    path: { type: 'string', default: '' },
  },
}).values

const file = `examples/proof/${mended ? 'box-office-mended' : 'box-office'}.ts`
console.log(`Customers of ${file} buy tickets, are cut off at any moment, and come back.
Whoever has a ticket must have been charged for it, once.
`)

const property = fairBills(mended ? boxOfficeMended : boxOffice)
const startedAt = performance.now()
const result = await fc.check(property, { seed: Number(seed), path, numRuns: 300, verbose: true })
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
const { failed, numRuns, failures, counterexample, counterexamplePath, errorInstance: error } = result

if (!failed) {
  console.log(`RIGHT, ${path === '' ? `in each of ${numRuns} histories` : 'in this history'}. It took ${seconds} s.`)
} else {
  const found = failures[0]?.[0].length
  const which =
    path === '' ? `The ${numRuns}. history that was tried shows it, by ${found} steps. Made shorter:` : 'By:'
  console.log(`WRONG. ${which}

${counterexample?.[0].map(describe).join('\n')}

  expected  ${error instanceof WrongBill ? error.expected : 'that every history can be told to its end'}
  came      ${error instanceof WrongBill ? error.came : String(error)}

What happened:

${error instanceof WrongBill ? error.story.join('\n') : ''}

The same again     npm run prove -- --seed ${seed} --path ${counterexamplePath}
By other chances   npm run prove -- --seed 1
Mended             npm run prove -- --mended
What is mended     git diff --no-index examples/proof/box-office.ts examples/proof/box-office-mended.ts`)
  process.exitCode = 1
}

function describe({ afterMs, who, what }: Step, index: number): string {
  return `  ${index + 1}. ${afterMs === 0 ? '' : `${afterMs} ms later `}${who} ${what}`
}
