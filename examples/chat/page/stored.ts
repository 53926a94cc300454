import { isRoomName } from 'greenroom/protocol'
import { decodeIdentity, encodeIdentity, type Identity } from '../identity.ts'
import { cleanName } from './names.ts'

const identityKey = 'greenroom.chat.identity'
const roomsKey = 'greenroom.chat.rooms'

/** Who this browser is; undefined before the first visit is over. */
export function storedIdentity(): Identity | undefined {
  try {
    const { id, name } = decodeIdentity(read(identityKey) ?? '')
    const clean = cleanName(name)
    return clean === undefined ? undefined : { id, name: clean }
  } catch {
    return undefined
  }
}

export function storeIdentity(identity: Identity): void {
  write(identityKey, encodeIdentity(identity))
}

/** Calls when another tab has stored an identity. */
export function onIdentityStored(listener: (identity: Identity) => void): void {
  addEventListener('storage', ({ key }) => {
    const identity = key === identityKey ? storedIdentity() : undefined
    if (identity !== undefined) listener(identity)
  })
}

/** The rooms that were joined here before, if any were. */
export function storedRooms(): string[] | undefined {
  try {
    const names: unknown = JSON.parse(read(roomsKey) ?? '')
    return Array.isArray(names) ? names.filter(isRoomName) : undefined
  } catch {
    return undefined
  }
}

export function storeRooms(names: readonly string[]): void {
  write(roomsKey, JSON.stringify(names))
}

// A browser may be told to keep nothing. Then everything works until the page is left.

function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // See above.
  }
}
