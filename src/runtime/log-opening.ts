import type { Core } from './core.ts'
import { Frame } from './frame.ts'
import type { History } from './history.ts'
import type { RoomRecord } from './room-record.ts'
import { scheduleCount } from './room-presence.ts'

/**
 * Opens a room's log, unless a room that crashed left it open. One that is opened again after it failed may hold
 * messages that nobody was told of: they were kept, though nobody could say so.
 */
export async function openLog(core: Core, history: History, room: RoomRecord): Promise<void> {
  if (room.log !== undefined) return
  const log = await history.open(room.name, room.limits)
  if (room.epoch === log.epoch && log.offset > room.delivered) {
    const bounds = { limit: Infinity, until: log.offset, now: core.environment.clock.now() }
    const { entries } = await log.since({ epoch: log.epoch, offset: room.delivered }, bounds)
    room.missed = entries
  }
  room.log = log
}

/** Tells the members what the log holds beyond what they were told. */
export function catchUp(core: Core, room: RoomRecord): void {
  for (const entry of room.missed) room.broadcast(new Frame(room.encode(entry.offset, entry)))
  room.missed = []
  if (room.storing.length === 0) room.delivered = room.log?.offset ?? 0
  room.countDue = false
  if (room.options.presence === 'count') scheduleCount(core, room)
}
