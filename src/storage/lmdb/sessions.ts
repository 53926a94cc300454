import { Buffer } from 'node:buffer'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Json } from '../../protocol/index.ts'
import type { Eventually } from '../../runtime/ports/eventually.ts'
import type { Claim, SessionRecord, SessionStore } from '../../runtime/ports/session-store.ts'
import type { Batch } from './batch.ts'
import { kindRange } from './codec.ts'
import type { Folder } from './folder.ts'
import {
  decodeSession,
  decodeState,
  encodeSession,
  encodeState,
  numberOf,
  sessionKey,
  stateKey,
  type Place,
  type StoredSession,
} from './session-codec.ts'
import { SessionSpace } from './session-space.ts'
import type { Writer } from './writer.ts'

// The claims of one run: fences of the next run begin above them, though none of them was written.
const claimsPerRun = 2 ** 30
const nobodysHash = Buffer.alloc(32)

/** Sessions are known in memory, and written behind: of each what has changed. */
export class Sessions implements SessionStore {
  readonly keepsChanges = true
  readonly #folder: Folder
  readonly #writer: Writer
  readonly #space: SessionSpace
  /** Read when they are first asked for: who keeps sessions elsewhere has none here. */
  #known: Map<string, StoredSession> | undefined
  /** The number of the last place. */
  #lastNumber = 0
  /** The keys of which a change waits to be written. */
  readonly #changed = new Set<string>()

  /**
   * @param bytes - what may be on the disk
   */
  constructor(folder: Folder, writer: Writer, bytes: number) {
    this.#folder = folder
    this.#writer = writer
    this.#space = new SessionSpace(bytes)
  }

  restore(): readonly SessionRecord[] {
    return [...this.#sessions.values()].map(({ record }) => record)
  }

  /**
   * @throws RangeError when the id is too long
   * @throws StoreError `store-closed`, `store-write-failed`
   */
  async create(record: SessionRecord, secret: string): Promise<void> {
    const { id } = record
    const key = sessionKey(id)
    this.delete(id)
    const session = { record, secretHash: hash(secret), places: new Map<string, Place>(), bytes: 0, claims: 0 }
    this.#sessions.set(id, session)
    try {
      if (this.#writer.refusal !== undefined) await this.#writer.recover()
      await new Promise<void>((kept, failed) => {
        this.#writer.add({ write: (batch) => this.#write(batch, key, id), kept, failed })
        this.#settle(session)
      })
    } catch (error) {
      // Nobody was told the secret. The session may be on the disk, should the disk have taken it and not said so.
      if (this.#sessions.get(id) === session) this.delete(id)
      throw error
    }
  }

  claim(id: string, secret: string): Eventually<Claim | undefined> {
    const session = this.#sessions.get(id)
    const isRight = timingSafeEqual(hash(secret), session?.secretHash ?? nobodysHash)
    if (session === undefined || !isRight) return undefined
    this.#space.touch(session)
    return { record: session.record, fence: this.#folder.run * claimsPerRun + ++session.claims }
  }

  put(record: SessionRecord): void {
    const session = this.#sessions.get(record.id)
    if (session === undefined) return
    const { user, guest, detachedAt } = session.record
    const isSame = user === record.user && guest === record.guest && detachedAt === record.detachedAt
    session.record = record
    const { rooms } = record
    const isThere = ({ name, role }: SessionRecord['rooms'][number]): boolean => {
      const place = session.places.get(name)
      return place !== undefined && place.role === role
    }
    if (isSame && rooms.length === session.places.size && rooms.every(isThere)) {
      for (const { name, state } of rooms) this.#show(session, name, state)
    } else {
      this.#settle(session)
      this.#change(sessionKey(record.id), (batch, key) => this.#write(batch, key, record.id))
    }
  }

  delete(id: string): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#hide(session)
    this.#space.remove(session)
    this.#sessions.delete(id)
    this.#change(sessionKey(id), (batch, key) => this.#write(batch, key, id))
  }

  get #sessions(): Map<string, StoredSession> {
    return (this.#known ??= this.#writer.isClosed ? new Map<string, StoredSession>() : this.#read())
  }

  /** Brings what is known of a session besides its record to what its record says. */
  #settle(session: StoredSession): void {
    const { places, record } = session
    const roles = new Map(record.rooms.map(({ name, role }) => [name, role]))
    for (const name of places.keys()) {
      if (roles.has(name)) continue
      this.#show(session, name, undefined)
      places.delete(name)
    }
    for (const [name, role] of roles) {
      const place = places.get(name)
      if (place === undefined) places.set(name, { number: ++this.#lastNumber, role, state: undefined, bytes: 0 })
      else place.role = role
    }
    this.#space.set(session, sessionKey(record.id).length + encodeSession(session).length)
    for (const { name, state } of record.rooms) this.#show(session, name, state)
    this.#makeRoom()
  }

  /** Keeps what a session is shown as in a room, if there is room for that. */
  #show(session: StoredSession, name: string, state: Json | undefined): void {
    const { id } = session.record
    const place = session.places.get(name)
    if (place === undefined || place.state === state) return
    const key = stateKey(id, place.number)
    const before = place.bytes
    const bytes = state === undefined || this.#space.isOver ? 0 : key.length + encodeState(state).length
    const isKept = bytes > 0 && this.#space.hasRoomFor(bytes - before)
    place.state = isKept ? state : undefined
    place.bytes = isKept ? bytes : 0
    this.#space.addState(session, place.bytes - before)
    if (before > 0 || isKept) this.#change(key, (batch) => this.#writeState(batch, key, id, name, place))
  }

  #hide(session: StoredSession): void {
    for (const name of session.places.keys()) this.#show(session, name, undefined)
  }

  #makeRoom(): void {
    while (this.#space.isOver) {
      const shown = this.#space.takeShown()
      const left = this.#space.longestLeft
      if (shown !== undefined) this.#hide(shown)
      else if (left !== undefined) this.delete(left.record.id)
      else return
    }
  }

  /** What changes often is written once. */
  #change(key: Buffer, write: (batch: Batch, key: Buffer) => void): void {
    const name = key.toString('latin1')
    if (this.#changed.has(name)) return
    this.#changed.add(name)
    this.#writer.add({
      write: (batch) => {
        this.#changed.delete(name)
        write(batch, key)
      },
    })
  }

  /** Writes what a session is by now: so it does not matter which of its changes is written when. */
  #write(batch: Batch, key: Buffer, id: string): void {
    const session = this.#sessions.get(id)
    if (session === undefined) batch.remove(key, this.#folder.sessions)
    else batch.put(key, encodeSession(session), this.#folder.sessions)
  }

  #writeState(batch: Batch, key: Buffer, id: string, name: string, place: Place): void {
    const isKept = place.state !== undefined && this.#sessions.get(id)?.places.get(name) === place
    if (isKept) batch.put(key, encodeState(place.state as Json), this.#folder.sessions)
    else batch.remove(key, this.#folder.sessions)
  }

  #read(): Map<string, StoredSession> {
    const { sessions: db } = this.#folder
    const sessions = new Map<string, StoredSession>()
    const places = new Map<number, { readonly session: StoredSession; readonly place: Place }>()
    const drop = (key: Buffer): void => this.#writer.add({ write: (batch) => batch.remove(key, db) })
    for (const { key, value } of db.getRange(kindRange('s'))) {
      const session = decodeSession(value)
      if (session === undefined) {
        drop(key)
        continue
      }
      sessions.set(session.record.id, session)
      session.bytes = key.length + value.length
      for (const place of session.places.values()) places.set(place.number, { session, place })
    }
    for (const { key, value } of db.getRange(kindRange('t'))) {
      const found = places.get(numberOf(key))
      const state = decodeState(value)
      if (found === undefined || state === undefined) drop(key)
      else Object.assign(found.place, { state, bytes: key.length + value.length })
      this.#lastNumber = Math.max(this.#lastNumber, numberOf(key))
    }
    for (const number of places.keys()) this.#lastNumber = Math.max(this.#lastNumber, number)
    this.#known = sessions
    const detached = ({ record }: StoredSession): number => record.detachedAt ?? Number.MAX_VALUE
    for (const session of [...sessions.values()].toSorted((a, b) => detached(a) - detached(b))) this.#admit(session)
    this.#makeRoom()
    return sessions
  }

  /** A session that was on the disk. */
  #admit(session: StoredSession): void {
    const { bytes, places, record } = session
    session.bytes = 0
    session.record = { ...record, rooms: [...places].map(([name, place]) => roomOf(name, place)) }
    this.#space.set(session, bytes)
    for (const place of places.values()) this.#space.addState(session, place.bytes)
  }
}

function roomOf(name: string, { state, role }: Place): SessionRecord['rooms'][number] {
  return { name, ...(state === undefined ? {} : { state }), ...(role === undefined ? {} : { role }) }
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
