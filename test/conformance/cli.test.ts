import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uncheckedRules, type ConformanceReport } from 'greenroom/conformance'
import { repository } from '../package/sandbox.ts'
import { withFault } from './fault.ts'
import { byToken, serve, serveBehind, tokens } from './servers.ts'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const artifacts = join(repository, 'test/artifacts')
let folder = ''

// One file of JavaScript: a process that has to read TypeScript first would take ten times as long to start.
beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true })
  folder = mkdtempSync(join(artifacts, 'conformance-'))
  await build({
    entryPoints: [join(repository, 'src/conformance/cli.ts')],
    outfile: join(folder, 'cli.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['ws'],
  })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the command in a process of its own. */
function run(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(folder, 'cli.mjs'), ...args], { timeout: 25_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, stdout, stderr })
      else reject(new Error(`the command did not end by itself: ${error?.message}\n${stderr}`))
    })
  })
}

async function listen(server: Server): Promise<{ url: string; close: () => Promise<void> }> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))
  return { url: `ws://127.0.0.1:${port}/ws`, close }
}

const lines = (text: string): string[] => text.trimEnd().split('\n')

describe('greenroom-conformance', () => {
  it.concurrent('ends with 0 when nothing is broken, and says what was checked', async () => {
    const { url, close } = await serve(byToken)
    const only = ['--only', 'PING-1,FENCE', '--only', 'AUTH-3']
    const { token, otherToken } = tokens
    const { code, stdout, stderr } = await run(url, '--token', token, '--other-token', otherToken, ...only)
    await close()
    expect([code, stderr]).toEqual([0, ''])
    expect(lines(stdout).filter((line) => line.startsWith('ok '))).toHaveLength(5)
    expect(lines(stdout).at(-1)).toMatch(/^3 rules checked in [\d.]+ s, 0 of them broken; 0 rules skipped, \d+ not /)
    expect(lines(stdout).at(-1)).toContain(` ${uncheckedRules.length} not checked from outside`)
  })

  it.concurrent('ends with 1 when a rule is broken, and shows what was sent, expected and received', async () => {
    const closeWith1000 = { close: (code: number, reason: string) => [code === 4009 ? 1000 : code, reason] as const }
    const { url, close } = await serveBehind(byToken, (runtime) => withFault(runtime, closeWith1000))
    const { code, stdout } = await run(url, '--token', tokens.token, '--only', 'FENCE', '--only', 'PING-1')
    await close()
    expect(code).toBe(1)
    const shown = lines(stdout)
    const from = shown.findIndex((line) => line.startsWith('BROKEN   FENCE'))
    expect(shown[from + 1]).toBe('         expected  close 4009, for ada')
    expect(shown[from + 2]).toBe('         came      close 1000 replaced')
    expect(shown.slice(from + 3).some((line) => line.includes('ada, newer → {"type":"hello","token":"…"'))).toBe(true)
    expect(stdout).not.toContain(tokens.token)
    expect(shown.at(-1)).toBe('first broken: FENCE')
  })

  it.concurrent('writes a report for programs', async () => {
    const { url, close } = await serve()
    const { code, stdout } = await run(url, '--json', '--only', 'PING-1')
    await close()
    const report = JSON.parse(stdout) as ConformanceReport
    expect(code).toBe(0)
    expect(report).toMatchObject({ url, broken: [], results: [{ rule: 'PING-1', outcome: 'ok' }] })
    expect(report.unchecked).toEqual(uncheckedRules)
  })

  it.concurrent('lists what is checked and what is not, without a server', async () => {
    const { code, stdout } = await run('--list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^JOIN-3 +joining a room twice is being in it once/m)
    expect(stdout).toMatch(/^HEARTBEAT-1 .*\(slow: about 35 s\)$/m)
    expect(stdout).toMatch(/^ +GOODBYE-1 +the server would have to drain$/m)
  })

  it.concurrent.for([
    ['no address', [], /^One address is needed\.\n\ngreenroom-conformance ws:/],
    ['two addresses', ['ws://a/', 'ws://b/'], /^One address is needed\./],
    ['an option that there is not', ['ws://127.0.0.1/', '--fast'], /Unknown option '--fast'/],
    ['an address that is none', ['127.0.0.1:8080'], /^The address must be one of a WebSocket/],
    ['an address of a page', ['http://127.0.0.1/'], /^The address must be one of a WebSocket/],
    ['an address with a token', ['ws://127.0.0.1/ws?token=x'], /^The address must not carry credentials/],
    ['a rule that there is not', ['ws://127.0.0.1/', '--only', 'JOIN-99'], /^There is no rule JOIN-99\./],
    ['a rule that cannot be checked', ['ws://127.0.0.1/', '--only', 'GOODBYE-1'], /^GOODBYE-1 is not checked from out/],
    [
      'a patience that is none',
      ['ws://127.0.0.1/', '--patience', 'much'],
      /^patienceMs must be above 0 and below 2\^31, not NaN\./,
    ],
  ] as const)('ends with 2 for %s', async ([, args, message]) => {
    const { code, stdout, stderr } = await run(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })

  it.concurrent('ends with 2 when nobody answers', async () => {
    const { url, close } = await listen(createTcpServer())
    await close()
    const { code, stderr } = await run(url)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^The server cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+\.\n$/)
  })

  it.concurrent('ends with 2 when somebody answers who is no WebSocket server', async () => {
    const page = await listen(createServer((_request, response) => void response.end('page')))
    const refused = await run(page.url)
    await page.close()
    expect([refused.code, refused.stderr]).toEqual([2, 'There is no WebSocket at this address: it answers 200.\n'])
  })

  it.concurrent('ends with 2 when nothing is said, or something else than HTTP', async () => {
    const mute = await listen(createTcpServer((socket) => void socket.on('error', () => {}).resume()))
    const other = await listen(
      createTcpServer(
        (socket) =>
          void socket
            .on('error', () => {})
            .resume()
            .end('220 mail\r\n'),
      ),
    )
    const outcomes = await Promise.all([run(mute.url, '--patience', '300'), run(other.url)])
    await Promise.all([mute.close(), other.close()])
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2])
    expect(outcomes[0]?.stderr).toMatch(/^The server cannot be reached: no answer to the upgrade request within 300 ms/)
    expect(outcomes[1]?.stderr).toMatch(/^The server cannot be reached: Parse Error/)
  })

  it.concurrent('ends with 2 when nobody is let in', async () => {
    const { url, close } = await serve(byToken)
    const [none, wrong, other] = await Promise.all([
      run(url),
      run(url, '--token', 'a-wrong-one'),
      run(url, '--token', tokens.token, '--other-token', 'a-wrong-one'),
    ])
    await close()
    expect([none?.code, none?.stderr]).toEqual([
      2,
      'The server lets nobody in without credentials: pass one, as --token or `token`.\n',
    ])
    expect([wrong?.code, wrong?.stderr]).toEqual([2, 'The server refuses the token.\n'])
    expect([other?.code, other?.stderr]).toEqual([2, 'The server refuses the other token.\n'])
  })
})
