/** What was measured of a line. */
export interface Figures {
  /** How often it was done while the bystanders talked. */
  readonly times: number
  /** What 99 of 100 of the bystanders' messages took at most when it was quiet, and under abuse (ms). */
  readonly quietMs: number
  readonly abusedMs: number
  /** How many times that was measured. */
  readonly attempts: number
  /** What the server held before and after, garbage collected (bytes). */
  readonly beforeBytes: number
  readonly afterBytes: number
}

declare module 'vitest' {
  interface TaskMeta {
    /** What was measured of a line of the abuse list. */
    abuse?: Figures
    /** Lines below it: what else was measured. */
    notes?: string[]
  }
}
