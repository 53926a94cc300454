/** Transitions that the simulation does not lead through, and why not. */
export const unreached: Readonly<Record<string, string>> = {}
