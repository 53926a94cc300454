import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { ping } from '../transports/raw/raw-frame.ts'
import { Attacker } from './attacker.ts'
import { fuzzEnd, fuzzInput } from './fuzz-input.ts'

/** Inputs that are written at once: behind one that ends the connection the others of its batch are not looked at. */
const batchInputs = 4
const inputsEach = 40
const connections = 3
/** How many inputs a run has. */
export const inputsPerRun = inputsEach * connections

/** What somebody does on one connection after another, until all inputs are spent. */
export interface Visit {
  readonly token: string
  readonly inputs: readonly Uint8Array[]
  readonly end: Uint8Array
  readonly way: 'end' | 'leave' | 'reset'
}

const visit: fc.Arbitrary<Visit> = fc.record({
  token: fc.constantFrom('eve', 'mallory', 'trudy', 'oscar', 'bad'),
  inputs: fc.array(fuzzInput, { minLength: inputsEach, maxLength: inputsEach }),
  end: fuzzEnd,
  way: fc.constantFrom('end', 'leave', 'reset'),
})

/** What arrives on several connections at once. */
export const fuzzRun: fc.Arbitrary<readonly Visit[]> = fc.array(visit, {
  minLength: connections,
  maxLength: connections,
})

/** Opens a connection; half of those who are nobody say so, and the others speak before they are let in. */
async function open(port: number, token: string): Promise<Attacker> {
  const attacker = await Attacker.connect(port, { answersPings: true })
  await attacker.knock({ headers: { 'sec-websocket-protocol': 'greenroom.v1' } })
  if (token === 'bad') return attacker
  attacker.say({ type: 'hello', token })
  attacker.say({ type: 'join', room: 'pit' })
  return attacker
}

/** Awaits that the server has looked at all that was written so far, or has ended the connection. */
async function looked({ bytes }: Attacker, mark: string): Promise<boolean> {
  bytes.write(ping(mark))
  await bytes.until(() => bytes.ended || bytes.closing !== undefined || bytes.pongs.at(-1) === mark)
  return !bytes.ended && bytes.closing === undefined
}

/**
 * Does what a visit says.
 *
 * @returns how many connections it took
 * @throws Error when the server sends what RFC 6455 does not allow
 */
export async function perform(port: number, { token, inputs, end, way }: Visit): Promise<number> {
  let opened = 0
  let attacker: Attacker | undefined
  for (let at = 0; at < inputs.length; at += batchInputs) {
    if (attacker === undefined) {
      attacker = await open(port, token)
      opened++
    }
    attacker.bytes.write(Buffer.concat(inputs.slice(at, at + batchInputs)))
    if (await looked(attacker, `${at}`)) continue
    await attacker.ending()
    attacker = undefined
  }
  if (attacker === undefined) return opened
  attacker.bytes.write(end)
  if (way === 'reset') attacker.cut()
  else if (way === 'end') attacker.bytes.tcp.end()
  else attacker.bytes.tcp.end(Buffer.from('88803d3d3d3d', 'hex'))
  await attacker.bytes.until(() => attacker?.bytes.ended === true)
  return opened
}
