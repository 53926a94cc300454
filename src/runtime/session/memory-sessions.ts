import type { SessionRecord, SessionStore } from '../ports/session-store.ts'

/** Keeps sessions in this process: they end with it. */
export function memorySessions(): SessionStore {
  const sessions = new Map<string, { readonly record: SessionRecord; readonly secret: string; fence: number }>()
  return {
    keepsChanges: false,
    restore: () => [],
    create: (record, secret) => {
      sessions.set(record.id, { record, secret, fence: 0 })
    },
    claim: (id, secret) => {
      const session = sessions.get(id)
      if (session === undefined || !equalSecrets(session.secret, secret)) return undefined
      return { record: session.record, fence: ++session.fence }
    },
    put: () => {},
    delete: (id) => {
      sessions.delete(id)
    },
  }
}

/** Compares without telling by its duration how much was right. */
export function equalSecrets(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
