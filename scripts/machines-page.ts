import { StateMachine, type AnyStateMachine, type AnyStateNode } from 'xstate'
import * as machines from '../machines/index.ts'
import { toMermaid } from './mermaid.ts'

const opening = `# The machines

Drawn from the charts in \`machines/\` by \`npm run diagrams\`; do not edit. A label reads *event [guard] / actions*; what
a state does without being left stands in its box.
`

/** The charts that the package exports, in the order of their names. */
export function exportedMachines(): AnyStateMachine[] {
  const values: unknown[] = Object.values(machines)
  return values
    .filter((value): value is AnyStateMachine => value instanceof StateMachine)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Every state of a chart but its root, depth first. */
function statesOf(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...statesOf(child)])
}

/** The text of docs/machines.md. */
export function machinesPage(): string {
  return [opening, ...exportedMachines().map(section)].join('\n')
}

function section(machine: AnyStateMachine): string {
  const rows = statesOf(machine.root).map(
    (node) => `| ${node.path.map((key) => `\`${key}\``).join(' › ')} | ${cell(node.description)} | ${tagsOf(node)} |`,
  )
  return [
    `## ${machine.id}`,
    '',
    machine.root.description ?? '',
    '',
    '```mermaid',
    toMermaid(machine),
    '```',
    '',
    '| state | what it is | tags |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

const cell = (text: string | undefined): string => (text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ')

function tagsOf(node: AnyStateNode): string {
  const tags = node.tags.map((tag) => `\`${tag}\``)
  return [
    ...tags,
    ...(node.type === 'final' ? ['*final*'] : []),
    ...(node.type === 'parallel' ? ['*parallel*'] : []),
  ].join(' ')
}
