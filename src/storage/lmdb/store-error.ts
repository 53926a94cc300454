/** Why a store refused. */
export type StoreErrorCode =
  /** Another process, or another part of this one, has the folder open. */
  | 'store-in-use'
  /** The folder cannot be opened: no permission, no space, no such disk, or what is in it is not a store. */
  | 'store-unusable'
  /** The disk did not take what was to be written; nothing of it was promised. `cause` is what the system said. */
  | 'store-write-failed'
  /** The store, or the log, was closed, or the log was opened anew elsewhere. */
  | 'store-closed'

/** What a store throws, and what its promises reject with. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
