import { nanoid } from 'nanoid'
import type { Authenticate } from '../runtime/ports/authenticate.ts'

/**
 * Lets everybody in, each session as a guest of its own, whatever credentials they show. It is what a runtime does that
 * has no `authenticate`, said in so many words.
 */
export function anonymous(): Authenticate {
  return () => ({ user: { id: `guest-${nanoid(22)}` }, guest: true })
}
