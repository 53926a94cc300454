import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { StateMachine, type AnyStateMachine, type AnyStateNode } from 'xstate'
import * as machines from '../../machines/index.ts'
import { nodesUnder, pathOf } from './chart.ts'

// Stately's tools read a chart from its source: what is not in the one literal, they do not see, and do not say so. And
// a runtime can only provide what a chart asks for by name.

const folder = join(import.meta.dirname, '../../machines')
const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'index.ts')
const charts = Object.values(machines as Record<string, unknown>).filter(
  (value): value is AnyStateMachine => value instanceof StateMachine,
)

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true)
}

function* nodesIn(node: ts.Node): Generator<ts.Node> {
  yield node
  for (const child of node.getChildren()) yield* nodesIn(child)
}

function literalOf(source: ts.SourceFile): ts.ObjectLiteralExpression {
  const calls = [...nodesIn(source)].filter(
    (node): node is ts.CallExpression =>
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'createMachine',
  )
  const literal = calls[0]?.arguments[0]
  if (calls.length !== 1 || literal === undefined || !ts.isObjectLiteralExpression(literal)) {
    throw new Error(`${source.fileName} has not exactly one createMachine({ … })`)
  }
  return literal
}

const nameOf = (node: ts.Node): string | undefined =>
  ts.isPropertyAssignment(node) && (ts.isIdentifier(node.name) || ts.isStringLiteral(node.name))
    ? node.name.text
    : undefined

/** Where a chart may compute: what goes into its context, into an actor, into an action's parameters, or out of it. */
function mayCompute(node: ts.Node): boolean {
  for (let at: ts.Node = node; at.parent !== undefined; at = at.parent) {
    if (['context', 'input', 'output', 'params'].includes(nameOf(at) ?? '')) return true
    if (ts.isCallExpression(at) && at.expression.getText() === 'assign') return true
  }
  return false
}

describe.each(files)('machines/%s', (file) => {
  const source = parse(file)
  const literal = literalOf(source)

  it('imports xstate and nothing else', () => {
    const imported = [...nodesIn(source)].flatMap((node) =>
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isImportTypeNode(node)
        ? [(ts.isImportTypeNode(node) ? node.argument : node.moduleSpecifier)?.getText()]
        : [],
    )
    expect(imported.filter((name) => name !== undefined)).toEqual(["'xstate'"])
  })

  it('is one literal with the id that its file has as a name', () => {
    const [id] = literal.properties.filter((property) => nameOf(property) === 'id')
    expect(id?.getText()).toBe(`id: '${file.replace(/\.ts$/, '')}'`)
  })

  it('says everything in the literal: nothing is spread into it, referred to, or called', () => {
    const foreign = [...nodesIn(literal)].filter(
      (node) =>
        !mayCompute(node) &&
        (ts.isSpreadAssignment(node) ||
          ts.isSpreadElement(node) ||
          ts.isShorthandPropertyAssignment(node) ||
          ts.isCallExpression(node) ||
          (ts.isPropertyAssignment(node) &&
            ts.isIdentifier(node.initializer) &&
            node.initializer.text !== 'undefined')),
    )
    expect(foreign.map((node) => node.getText())).toEqual([])
  })

  it('refers to actions, guards and delays by name', () => {
    const inline = [...nodesIn(literal)].filter((node) => ts.isFunctionLike(node) && !mayCompute(node))
    expect(inline.map((node) => node.getText())).toEqual([])
  })
})

describe.each(charts.map((machine) => [machine.id, machine] as const))('the chart of %s', (_id, machine) => {
  const nodes = [machine.root, ...nodesUnder(machine.root)]
  const { implementations } = machine

  it('describes every state', () => {
    expect(nodes.filter(({ description }) => (description ?? '').trim() === '').map(pathOf)).toEqual([])
  })

  it('asks for nothing that it has not declared', () => {
    const asked = nodes.flatMap((node) => [...actionsOf(node), ...guardsOf(node), ...delaysOf(node), ...actorsOf(node)])
    const declared = new Set(
      (['actions', 'guards', 'delays', 'actors'] as const).flatMap((kind) =>
        Object.keys(implementations[kind]).map((name) => `${kind}: ${name}`),
      ),
    )
    expect(asked.filter((name) => !declared.has(name))).toEqual([])
  })

  it('declares nothing that it does not ask for', () => {
    // A connection machine of an application's own may use what the built-in one does not.
    const forApplications = [
      ...['send', 'joinRoom', 'leaveRoom', 'publish'].map((name) => `actions: ${name}`),
      'actors: request',
    ]
    const asked = new Set(
      nodes.flatMap((node) => [...actionsOf(node), ...guardsOf(node), ...delaysOf(node), ...actorsOf(node)]),
    )
    const unused = (['actions', 'guards', 'delays', 'actors'] as const).flatMap((kind) =>
      Object.keys(implementations[kind])
        .map((name) => `${kind}: ${name}`)
        .filter((name) => !asked.has(name)),
    )
    expect(unused).toEqual(machine.id === 'connection' ? forApplications : [])
  })
})

it('there is a chart in every file, and every chart is exported', () => {
  expect(charts.map(({ id }) => `${id}.ts`).toSorted()).toEqual(files.toSorted())
})

const transitionsOf = (node: AnyStateNode) => [...node.transitions.values(), node.always ?? []].flat()

function actionsOf(node: AnyStateNode): string[] {
  const configured = [node.config.entry ?? [], node.config.exit ?? []].flat()
  return [...configured, ...transitionsOf(node).flatMap(({ actions }) => actions)].flatMap((action: unknown) =>
    // `assign` in place is the chart's own.
    typeof action === 'function'
      ? []
      : [`actions: ${typeof action === 'string' ? action : (action as { type: string }).type}`],
  )
}

function guardsOf(node: AnyStateNode): string[] {
  return transitionsOf(node).flatMap(({ guard }: { guard?: unknown }) =>
    guard === undefined ? [] : [`guards: ${typeof guard === 'string' ? guard : (guard as { type: string }).type}`],
  )
}

const delaysOf = (node: AnyStateNode): string[] => node.after.map(({ delay }) => `delays: ${String(delay)}`)

const actorsOf = (node: AnyStateNode): string[] => node.invoke.map(({ src }) => `actors: ${String(src)}`)
