import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { repository, runTool } from './sandbox.ts'

// Each block of docs/testing.md behind a comment <!-- run --> is a whole file, and is run as it stands there.

const guide = readFileSync(join(repository, 'docs/testing.md'), 'utf8')

interface Block {
  readonly name: string
  readonly code: string
}

/** The blocks that are run, each named after its section. */
function blocksOf(text: string): Block[] {
  return text.split(/^## /m).flatMap((section) => {
    const title = /.*/.exec(section)?.[0] ?? ''
    const blocks = [...section.matchAll(/<!-- run -->\r?\n+```ts\r?\n([\s\S]*?)\r?\n```/g)]
    return blocks.map(([, code = ''], index) => ({ name: index === 0 ? title : `${title} ${index + 1}`, code }))
  })
}

const blocks = blocksOf(guide)
mkdirSync(join(repository, 'test/artifacts'), { recursive: true })
const folder = mkdtempSync(join(repository, 'test/artifacts/guide-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const fileOf = ({ name }: Block): string => join(folder, `${name.toLowerCase().replaceAll(/\W+/g, '-')}.ts`)
for (const block of blocks) writeFileSync(fileOf(block), block.code)
copyFileSync(join(repository, 'examples/lobby/lobby-connection.ts'), join(folder, 'lobby-connection.ts'))
writeFileSync(
  join(folder, 'tsconfig.json'),
  '{ "extends": "../../../tsconfig.json", "include": ["*.ts"], "exclude": [] }',
)

describe('docs/testing.md', () => {
  it('runs all that it shows, but what needs a production', () => {
    expect(blocks.length).toBe([...guide.matchAll(/^```ts/gm)].length - 1)
  })

  it.each(blocks)('shows what works as it stands: $name', async (block) => {
    vi.spyOn(console, 'log').mockReturnValue()
    await import(fileOf(block))
  })

  it('shows what compiles', async () => {
    expect(await runTool('tsc', ['-p', '.'], folder)).toEqual({ code: 0, stdout: '' })
  }, 60_000)

  it('links to what there is', () => {
    const headings = [...guide.matchAll(/^## (.*)/gm)].map(([, title = '']) => anchorOf(title))
    const anchors = [...guide.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(anchors).toEqual(headings)
  })
})

/** What a heading is linked by. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}
