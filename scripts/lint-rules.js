/** What the linter has no rule of its own for. oxlint loads this file itself, and on Node 20 it cannot load TypeScript. */

const message = 'Take the time from the environment.'

/** `new Date()` and `Date()` read the system's clock, as `Date.now()` does. `new Date(at)` reads nothing and is free. */
const noCurrentDate = {
  create(context) {
    const check = (node) => {
      const { callee } = node
      if (callee.type !== 'Identifier' || callee.name !== 'Date') return
      if (node.type === 'CallExpression' || node.arguments.length === 0) context.report({ message, node })
    }
    return { NewExpression: check, CallExpression: check }
  },
}

export default { meta: { name: 'greenroom' }, rules: { 'no-current-date': noCurrentDate } }
