import type { EventObject } from 'xstate'

/** A value that throws when it is looked at, once. */
function fatal(): never {
  throw new Error('injected: the actor broke')
}

/** An event of which a field breaks whoever reads it first. */
function broken(event: EventObject, field: string): EventObject {
  let armed = true
  return Object.defineProperty({ ...event }, field, {
    enumerable: true,
    get: () => {
      if (!armed) return undefined
      armed = false
      return fatal()
    },
  })
}

/** Events by which an actor of each kind crashes, in the middle of what it does with them. */
export const poison = {
  connection: (): EventObject => {
    const message = broken({ type: 'ping' }, 'id')
    return { type: 'socket.message', message } as EventObject
  },
  session: (): EventObject => broken({ type: 'session.detach' }, 'at'),
  room: (): EventObject => broken({ type: 'room.publish', session: {} } as EventObject, 'message'),
}
