import { randomBytes } from 'node:crypto'
import { protocolLimits } from '../protocol/index.ts'

/** A token that nobody has been given. */
export const nobodysToken = `nobodys-${randomBytes(9).toString('hex')}`

/** What is too deep for the protocol, as JSON. */
export const tooDeep = `${'['.repeat(protocolLimits.dataDepth + 1)}${']'.repeat(protocolLimits.dataDepth + 1)}`
