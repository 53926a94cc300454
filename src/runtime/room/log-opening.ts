import type { Core } from '../core.ts'
import type { History } from '../ports/history.ts'
import { expectReading } from './joining.ts'
import type { RoomRecord } from './room-record.ts'
import { scheduleCount } from './room-presence.ts'
import { announceMissed } from './storing.ts'

/**
 * Opens a room's log, unless a room that crashed left it open. One that is opened again after it failed may hold
 * messages that nobody was told of: they were kept, though nobody could say so.
 *
 * @param signal - aborted when the room does not wait for it any more
 */
export async function openLog(core: Core, history: History, room: RoomRecord, signal: AbortSignal): Promise<void> {
  if (room.log !== undefined) return
  // What a room of this name had given its log when it was given up may still be kept: only then the log says so.
  const abandoned = core.abandonedLogs.get(room.name)
  if (abandoned !== undefined) await abandoned
  if (signal.aborted) return
  const log = await history.open(room.name, room.limits)
  // Too late: the room has been given up, or its successor has opened the log by itself.
  if (signal.aborted) return log.close()
  const close = (): void => log.close()
  // At once, not when it has been read: the successor opens it from now on.
  signal.addEventListener('abort', close, { once: true })
  let missed: RoomRecord['missed'] = []
  try {
    if (room.epoch === log.epoch && log.offset > room.delivered) {
      const limit = log.offset - room.delivered
      const page = await log.before(Infinity, { limit, until: log.offset, now: core.environment.clock.now() })
      missed = page.entries
    }
  } catch (error) {
    if (!signal.aborted) log.close()
    throw error
  } finally {
    signal.removeEventListener('abort', close)
  }
  if (signal.aborted) return
  room.missed = missed
  room.log = log
}

/** Tells the members what the log holds beyond what they were told. */
export function catchUp(core: Core, room: RoomRecord): void {
  // A room that crashed before it could act upon its log's failure has yet to open it.
  if (room.failing) return
  announceMissed(core, room)
  if (room.storing.length === 0) room.delivered = room.log?.offset ?? 0
  // Those of a room that crashed had their time-outs with it.
  for (const reading of room.readings.values()) expectReading(core, room, reading)
  room.countDue = false
  if (room.options.presence === 'count') scheduleCount(core, room)
}
