import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { assign, setup, type AnyStateMachine } from 'xstate'
import { exportedMachines, machinesPage } from '../../scripts/machines-page.ts'
import { toMermaid } from '../../scripts/mermaid.ts'
import { nodesUnder } from './chart.ts'

const page = fileURLToPath(new URL('../../docs/machines.md', import.meta.url))

// The part of Mermaid's grammar for state diagrams that the diagrams are written in, taken from its lexer: an id is a
// run without space, hyphen, colon or brace, and a text after a colon ends at a colon, a semicolon or a hash. A note is
// whatever stands before `end note`; what we write there begins as the label of a transition does.
const id = String.raw`[A-Za-z]\w*`
const end = String.raw`(?:\[\*\]|${id})`
const text = '[^:;#<>{}"]+'
const forms = [
  String.raw`${end} --> ${end}(?: : ${text})?`,
  `state "${text}" as ${id}(?: \\{)?`,
  `${id} : ${text}`,
  String.raw`\}`,
  '--',
  `note right of ${id}`,
  'end note',
]
const noted = `[^:;#<>{}"/]+ / ${text}`

/** Whether a line is one that may stand there. */
const matches = (line: string, ...forms: readonly string[]): boolean =>
  forms.some((form) => new RegExp(`^ *${form}$`).test(line))

function expectMermaid(diagram: string): void {
  const [heading, ...lines] = diagram.split('\n')
  expect(heading).toBe('stateDiagram-v2')
  let inNote = false
  for (const line of lines) {
    if (line.trim() === 'end note') inNote = false
    expect(inNote ? matches(line, noted) && !line.includes('end note') : matches(line, ...forms), line).toBe(true)
    if (matches(line, `note right of ${id}`)) inNote = true
  }
  const [opened, closed] = [lines.filter((line) => line.endsWith('{')), lines.filter((line) => line.trim() === '}')]
  expect(opened).toHaveLength(closed.length)
  const declared = lines.flatMap((line) => / as (\w+)/.exec(line)?.[1] ?? [])
  expect(new Set(declared).size).toBe(declared.length)
  for (const line of lines) {
    const [, from, to] = /^ *(\S+) --> (\S+)/.exec(line) ?? []
    for (const end of [from, to]) if (end !== undefined && end !== '[*]') expect(declared, line).toContain(end)
  }
}

describe('docs/machines.md', () => {
  it('shows the charts as they are', () => {
    expect(readFileSync(page, 'utf8'), 'It is stale: run `npm run diagrams`.').toBe(machinesPage())
  })

  it('has every chart, every state, every description', () => {
    const text = machinesPage()
    for (const machine of exportedMachines()) {
      expect(text).toContain(`## ${machine.id}\n\n${machine.root.description}`)
      for (const node of nodesUnder(machine.root)) expect(text).toContain(`| ${node.description} |`)
    }
  })
})

describe('a diagram', () => {
  it.each(exportedMachines().map((machine) => [machine.id, machine] as const))('of %s is Mermaid', (_id, machine) => {
    expectMermaid(toMermaid(machine))
  })

  const odd = setup({
    types: { context: {} as { count: number }, events: {} as { type: string } },
    actions: { note: () => {} },
    guards: { 'is it; so: #1?': () => true },
    delays: { soon: 1 },
  }).createMachine({
    id: 'state-machine',
    context: { count: 0 },
    initial: 'default',
    on: { 'a <b>; c:d': { target: '.end note' }, up: '.both' },
    states: {
      default: {
        on: { self: { target: 'default', reenter: true }, 'x.*': { actions: 'note' } },
        after: { soon: 'both' },
      },
      both: {
        type: 'parallel',
        entry: 'note',
        on: { inner: '.left.two', 'ask: #1': { guard: 'is it; so: #1?', actions: 'note' } },
        after: { soon: { actions: 'note' } },
        onDone: { target: 'end note', guard: 'is it; so: #1?' },
        states: {
          left: { initial: 'one', states: { one: { always: 'two' }, two: { type: 'final' } } },
          right: { initial: 'one', states: { one: { on: { out: '#state-machine.default' } }, two: {} } },
        },
      },
      'end note': { type: 'final', exit: assign({ count: 1 }) },
    },
  }) as unknown as AnyStateMachine

  it('is Mermaid whatever a chart calls its states, its events and its guards', () => {
    expectMermaid(toMermaid(odd))
  })

  it('draws each transition where both its ends are in sight', () => {
    const lines = toMermaid(odd).split('\n')
    expect(lines).toContain('  state_machine_any --> state_machine_both : up')
    expect(lines).toContain('  state_machine_both_right_one --> state_machine_default : out')
    expect(lines).toContain('    state_machine_both_any --> state_machine_both_left_two : inner')
    expect(lines).toContain('  state_machine_default --> state_machine_both : after soon')
    expect(lines.filter((line) => line.trim() === '--')).toHaveLength(1)
  })

  it('notes beside a state with states inside what it does without being left', () => {
    const [, note = ''] = /note right of state_machine_both\n([^]*?)\n *end note/.exec(toMermaid(odd)) ?? []
    expect(note.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '))).toEqual([
      'entry / note',
      'ask 1 [is it so 1?] / note',
      'after soon / note',
    ])
  })
})
