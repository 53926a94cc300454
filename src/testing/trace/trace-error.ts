/** A text is not a trace, or not all of one. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  readonly code = 'bad-trace'
  /** Where it is wrong; the first line is 1. */
  readonly line: number

  constructor(line: number, what: string) {
    super(`Line ${line} of the trace: ${what}`)
    this.line = line
  }
}
