import fc from 'fast-check'
import { closeCodes } from '../../protocol/close-codes.ts'
import type { ErrorCode } from '../../protocol/error-codes.ts'
import { utf8Length } from '../../protocol/room-name.ts'

/**
 * What a server does with a hostile frame, by PROTOCOL.md:
 *
 * - the code of the `error` that it answers
 * - 1009, the code with which it closes the connection
 * - `served`: nothing of it is looked at that is wrong, and what is left is handled as if it had come alone
 * - `application`: the protocol has nothing against it, and what the application does is its own affair
 */
export type HostileAnswer = ErrorCode | typeof closeCodes.messageTooBig | 'served' | 'application'

const longestShown = 300

/** A frame that breaks something. */
export class HostileFrame {
  /** What it breaks, in words that are the same for all frames that break the same. */
  readonly breaks: string
  /** What a server that this connection has been welcomed by does with it. */
  readonly answer: HostileAnswer
  readonly frame: string | Uint8Array

  constructor(breaks: string, answer: HostileAnswer, frame: string | Uint8Array) {
    this.breaks = breaks
    this.answer = answer
    this.frame = frame
  }

  /** How fast-check shows it: of a frame of 200,000 characters only the first. */
  [fc.toStringMethod](): string {
    const { breaks, answer, frame } = this
    const shown = typeof frame === 'string' ? JSON.stringify(frame.slice(0, longestShown)) : bytesOf(frame)
    const more = frame.length > longestShown ? ` and so on, ${frame.length} in all` : ''
    return `${breaks} (${answer}): ${shown}${more}`
  }
}

const bytesOf = (frame: Uint8Array): string => `Uint8Array.of(${frame.subarray(0, longestShown).join()})`

/** Frames that break one thing, and how often they are among all. */
export interface Hostility {
  readonly breaks: string
  readonly frames: fc.Arbitrary<HostileFrame>
  readonly weight: number
}

/** Declares what breaks one thing and is always answered alike. */
export const hostility = (
  breaks: string,
  answer: HostileAnswer,
  frames: fc.Arbitrary<string | Uint8Array>,
  weight = 4,
): Hostility => ({ breaks, weight, frames: frames.map((frame) => new HostileFrame(breaks, answer, frame)) })

/** A frame that may be read at all, or else is too large for it. */
export function withinSize(hostile: HostileFrame, frameBytes: number): HostileFrame {
  const { breaks, frame } = hostile
  const size = typeof frame === 'string' ? utf8Length(frame) : frame.length
  return size > frameBytes ? new HostileFrame(breaks, closeCodes.messageTooBig, frame) : hostile
}

/** A message whose fields are JSON already, as text; what JSON would not write can stand there, and a name twice. */
export const textOf = (fields: readonly (readonly [name: string, json: string])[]): string =>
  `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join()}}`

/** The fields of a message, each as JSON. */
export const fieldsOf = (message: object): [name: string, json: string][] =>
  Object.entries(message).map(([name, value]) => [name, JSON.stringify(value)])

/** A message with a field more, or with another in place of one. */
export const withField = (message: object, name: string, json: string): string =>
  textOf([...fieldsOf(message).filter(([other]) => other !== name), [name, json]])
