#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { listedChecks, runConformance, uncheckedRules } from './conformance.ts'
import { ConformanceError } from './conformance-error.ts'
import { describeList, describeReport, describeResult } from './report.ts'

const usage = `greenroom-conformance ws://host/ws [options]

Runs the rules of PROTOCOL.md against a server that claims to speak greenroom.v1.

  --token T         credentials of a user
  --other-token U   credentials of another user
  --only RULE       only this rule; may be given several times, or with commas
  --slow            also what takes longer than a few seconds
  --patience MS     how long an answer may take (5000)
  --list            what is checked, and what is not; needs no server
  --json            a report for programs

Ends with 0 when no rule was broken, 1 when one was, 2 when nothing could be checked.`

const options = {
  token: { type: 'string' },
  'other-token': { type: 'string' },
  only: { type: 'string', multiple: true },
  slow: { type: 'boolean' },
  patience: { type: 'string' },
  list: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

function readArguments() {
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Runs the command and returns the code that the process is to end with. */
async function main(): Promise<number> {
  const { values, positionals } = readArguments()
  const { json = false } = values
  if (values.help === true) {
    console.log(usage)
    return 0
  }
  if (values.list === true) {
    const list = { checks: listedChecks, unchecked: uncheckedRules }
    console.log(json ? JSON.stringify(list, null, 2) : describeList(listedChecks, uncheckedRules))
    return 0
  }
  const [url, ...more] = positionals
  if (url === undefined || more.length > 0) throw new UsageError('One address is needed.')
  const report = await runConformance(url, {
    token: values.token,
    otherToken: values['other-token'],
    only: values.only?.flatMap((rules) => rules.split(',')),
    slow: values.slow,
    patienceMs: values.patience === undefined ? undefined : Number(values.patience),
    onResult: json ? undefined : (result) => console.log(describeResult(result)),
  })
  console.log(json ? JSON.stringify(report, null, 2) : describeReport(report))
  return report.firstBroken === undefined ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${usage}`)
  else if (error instanceof ConformanceError) console.error(error.message)
  else throw error
  process.exitCode = 2
}
