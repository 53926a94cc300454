/** What somebody has bought. */
export interface Ticket {
  readonly seat: number
}

/** What the box office asks for money. */
export interface Bank {
  /** Resolves when the money is there; rejects when it does not come. Each call is a charge of its own. */
  charge(user: string): Promise<void>
}
