import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/**
 * Holds PROTOCOL.md and the tests to each other: `npx tsx scripts/protocol-rules.ts`. Every rule that the document
 * defines is cited in the title of a test, every rule that a title cites is defined, and none is defined twice.
 */

/** A rule's ID, and where it stands. */
export interface Mention {
  readonly id: string
  readonly file: string
  readonly line: number
}

const definition = /^(?:[-*] +)?\*\*\[([A-Z]+(?:-\d+)?)\]\*\*/
const citation = /\[([A-Z]+(?:-\d+)?)\]/g

/** The rules that a document defines: `**[JOIN-1]**` at the beginning of a paragraph, outside of code. */
export function definedRules(file: string, markdown: string): Mention[] {
  const found: Mention[] = []
  let inCode = false
  for (const [index, text] of markdown.split('\n').entries()) {
    if (text.startsWith('```')) inCode = !inCode
    const id = inCode ? undefined : definition.exec(text)?.[1]
    if (id !== undefined) found.push({ id, file, line: index + 1 })
  }
  return found
}

/** The rules that tests cite: `[JOIN-1]` in the title of an `it` or a `test`. One that is skipped cites nothing. */
export function citedRules(file: string, source: string): Mention[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest)
  const found: Mention[] = []
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) && isTest(node.expression) ? node.arguments[0] : undefined
    if (title !== undefined) {
      const line = tree.getLineAndCharacterOfPosition(title.getStart(tree)).line + 1
      for (const [, id = ''] of literalText(title).matchAll(citation)) found.push({ id, file, line })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

/** Whether what is called is `it`, `test` or one of their relatives: `it.each(…)`, `` it.for`…` ``. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'it' || callee.text === 'test'
  if (ts.isPropertyAccessExpression(callee)) {
    return callee.name.text !== 'skip' && callee.name.text !== 'todo' && isTest(callee.expression)
  }
  if (ts.isCallExpression(callee)) return isTest(callee.expression)
  return ts.isTaggedTemplateExpression(callee) && isTest(callee.tag)
}

/** What of a title stands in the source; the values that a template puts in are not known. */
function literalText(title: ts.Expression): string {
  if (ts.isStringLiteralLike(title)) return title.text
  if (!ts.isTemplateExpression(title)) return ''
  return [title.head, ...title.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join(' ')
}

/** Says what is wrong between a document's rules and the tests' citations, a line each; nothing when all is well. */
export function compareRules(defined: readonly Mention[], cited: readonly Mention[]): string[] {
  const problems: string[] = []
  const rules = new Map<string, Mention>()
  for (const rule of defined) {
    const before = rules.get(rule.id)
    if (before === undefined) rules.set(rule.id, rule)
    else problems.push(`${rule.file}:${rule.line} defines [${rule.id}] again; it stands in line ${before.line}`)
  }
  for (const { id, file, line } of cited) {
    if (!rules.has(id)) problems.push(`${file}:${line} cites [${id}], which PROTOCOL.md does not define`)
  }
  const known = new Set(cited.map(({ id }) => id))
  for (const { id, file, line } of rules.values()) {
    if (!known.has(id)) problems.push(`${file}:${line} defines [${id}], which no test cites`)
  }
  return problems
}

/** Checks the repository at a path. */
export function checkProtocolRules(root: string): { readonly rules: number; readonly problems: readonly string[] } {
  const document = 'PROTOCOL.md'
  const defined = definedRules(document, readFileSync(join(root, document), 'utf8'))
  const cited = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    // What other tests write while this is read is not looked at.
    .filter((path) => /\.tsx?$/.test(path) && !path.startsWith('artifacts'))
    .map((path) => join('test', path))
    .flatMap((file) => citedRules(file, readFileSync(join(root, file), 'utf8')))
  return { rules: defined.length, problems: compareRules(defined, cited) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { rules, problems } = checkProtocolRules(fileURLToPath(new URL('..', import.meta.url)))
  for (const problem of problems) console.error(problem)
  console.log(`${rules} rules in PROTOCOL.md, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
