import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { repository } from './sandbox.ts'

// What the README shows first is run as it stands there: the server in one process, the client in another.

const readme = readFileSync(join(repository, 'README.md'), 'utf8')
const portInReadme = '8080'

function blockOf(name: string): string {
  const [, code] =
    new RegExp(`<!-- run: ${name} -->\\r?\\n+\`\`\`ts\\r?\\n([\\s\\S]*?)\\r?\\n\`\`\``).exec(readme) ?? []
  if (code === undefined) {
    throw new Error(`README.md has no \`\`\`ts block right behind the comment <!-- run: ${name} -->.`)
  }
  return code
}

/** A block of a server or a client. */
function portBlockOf(name: string): string {
  const code = blockOf(name)
  if (!code.includes(portInReadme)) {
    throw new Error(`The block '${name}' of README.md does not use port ${portInReadme}.`)
  }
  return code
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}

interface Program {
  readonly process: ChildProcess
  /** Everything it has printed so far. */
  readonly output: string
  /** Resolves as soon as that satisfies a condition; rejects when the process ends before. */
  printed(condition: (output: string) => boolean): Promise<void>
}

/** Runs a TypeScript file in a process of its own, which does not outlive the test. */
function run(file: string): Program {
  const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: repository })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const listeners = new Set<() => void>()
  const hear = (chunk: Buffer): void => {
    output += chunk.toString()
    for (const listener of listeners) listener()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  return {
    process: child,
    get output() {
      return output
    },
    printed: (condition) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (condition(output)) resolve()
        }
        listeners.add(look)
        child.once('close', () => reject(new Error(`The process ended. It printed:\n${output}`)))
        look()
      }),
  }
}

/** Where the blocks are run from: inside the repository, so that `greenroom` is what is written here. */
async function desk(): Promise<(name: string) => Program> {
  const artifacts = join(repository, 'test/artifacts')
  mkdirSync(artifacts, { recursive: true })
  const folder = mkdtempSync(join(artifacts, 'readme-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  return (name) => {
    const file = join(folder, `${name}.ts`)
    writeFileSync(file, portBlockOf(name).replaceAll(portInReadme, port).replace('./data', join(folder, 'data')))
    return run(file)
  }
}

async function kill({ process }: Program, signal: NodeJS.Signals): Promise<void> {
  process.kill(signal)
  await once(process, 'close')
}

describe('README.md', () => {
  it('shows a server and a client that work as they stand', async () => {
    const start = await desk()
    const server = start('server')
    // The client needs not wait for the server: it comes back until there is one.
    const client = start('client')
    const message = /^ada .*hello/m
    const receipt = /offset: 1\b/
    await client.printed((output) => message.test(output) && receipt.test(output))
    expect(client.output).toMatch(/\[ 'ada' \]/)
    expect(server.output).toBe('')

    await kill(client, 'SIGTERM')
    await kill(server, 'SIGTERM')
    expect(server.process.signalCode ?? server.process.exitCode).toSatisfy((end) => end === 'SIGTERM' || end === 0)
  })

  it('shows schemas that take what they are to take', async () => {
    const start = await desk()
    const [server, client] = [start('schemas'), start('client')]
    await client.printed((output) => /hello/.test(output) && /offset: 1\b/.test(output))
    expect(server.output).toBe('')
    await kill(client, 'SIGTERM')
    await kill(server, 'SIGTERM')
  })

  it('shows calls both ways that work as they stand', async () => {
    const start = await desk()
    const [server, client] = [start('calls-server'), start('calls-client')]
    await client.printed((output) => output.includes('declined'))
    expect(client.output.trim().split(/\r?\n/)).toEqual(['Ada true', 'declined'])
    expect(server.output).toBe('')
    await kill(client, 'SIGTERM')
    await kill(server, 'SIGTERM')
  })

  it('shows a server on disk that goes on where it was killed', async () => {
    const start = await desk()
    for (const receipt of [/offset: 1\b/, /offset: 2\b/]) {
      const [server, client] = [start('lmdb'), start('client')]
      await client.printed((output) => receipt.test(output))
      expect(server.output).toBe('')
      await kill(client, 'SIGTERM')
      await kill(server, 'SIGKILL')
    }
  })

  it('shows a chart that is held to a running server in a dozen lines', async () => {
    const artifacts = join(repository, 'test/artifacts')
    mkdirSync(artifacts, { recursive: true })
    const folder = mkdtempSync(join(artifacts, 'readme-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const lobby = join(repository, 'examples/lobby/lobby-connection.ts')
    writeFileSync(join(folder, 'prove.ts'), blockOf('prove').replace('./lobby-connection.ts', lobby))
    const program = run(join(folder, 'prove.ts'))
    await once(program.process, 'close')
    expect([program.process.exitCode, program.output]).toEqual([0, 'It holds.\n'])
  })
})
