import { fromPromise, type AnyMachineSnapshot } from 'xstate'
import { roomMachine, type RoomInput } from '../../../machines/index.ts'
import { errorMessage, type Json } from '../../protocol/index.ts'
import { implement } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import type { History } from '../ports/history.ts'
import { withLanes, type LanedLogic } from '../actors/lanes.ts'
import { catchUp, openLog } from './log-opening.ts'
import { sizeOf } from '../connection/message-size.ts'
import { withPopulation } from '../actors/population.ts'
import type { RoomRecord } from './room-record.ts'
import { answer, fits, putBy, refuse, roomOf, services, type Args } from './room-services.ts'
import type { Session } from '../session/session.ts'
import { announceTyping, stopTyping } from './typing.ts'

/** Marries the room's chart to its record, its log and its members' outboxes. */
export function roomLogic(core: Core, history: History, isAlive: (session: Session) => boolean): LanedLogic {
  const serve = services(core, isAlive)
  const served = (args: Args): void => serve.get(args.event.type)?.(args as Args<never>)
  const machine = implement(roomMachine, {
    actors: {
      openHistory: fromPromise<void, RoomInput>(({ input, signal }) =>
        openLog(core, history, input.room as RoomRecord, signal),
      ),
    },
    actions: {
      hold: (args: Args) => {
        if (fits(args)) putBy(args)
        if (args.event.type === 'room.restore') noteRestored(args)
      },
      runHeld: (args: Args) => runHeld(args, served),
      fail: (args: Args) => giveUp(core, roomOf(args)),
      admit: serve.get('room.join'),
      dismiss: serve.get('room.leave'),
      publish: serve.get('room.publish'),
      updatePresence: serve.get('room.presence'),
      noteTyping: serve.get('room.typing'),
      replay: serve.get('room.history'),
      withdraw: serve.get('room.withdraw'),
      reappear: serve.get('room.reappear'),
      identify: serve.get('room.identify'),
      changeRole: serve.get('room.role'),
      restore: serve.get('room.restore'),
      deliver: serve.get('room.stored'),
      answerRead: serve.get('room.read'),
      announceCount: serve.get('room.count'),
      catchUp: (args: Args) => catchUp(core, roomOf(args)),
      dropLog: (args: Args) => {
        roomOf(args).log = undefined
      },
      announceTyping: (args: Args) =>
        announceTyping(roomOf(args), args.event.session, args.event.type === 'typing.started'),
      refuse: (args: Args) => refuse(args, 'not-a-member'),
      noteVacant: (args: Args) => core.vacantRooms.add(roomOf(args).address),
      noteTaken: (args: Args) => core.vacantRooms.delete(roomOf(args).address),
      closeHistory: (args: Args) => roomOf(args).log?.close(),
    } as never,
    guards: {
      empty: (args) => roomOf(args).size === 0,
      nothingToKeep: (args) => roomOf(args).delivered === 0,
      settled: (args) => roomOf(args).storing.length === 0,
    },
    delays: { linger: core.settings.roomLingerMs, openTimeout: core.settings.roomOpenTimeoutMs },
  })
  const laned = withLanes(machine, {
    hot: ['room.publish', 'room.stored'],
    ...core.lanes,
    onCrash: (snapshot, event) => {
      const room = roomOf(snapshot)
      // The typing actors end with the room's; nobody is to be left typing for ever.
      for (const session of room.sessions) stopTyping(room, session)
      answer(event, 'internal')
    },
  })
  return withPopulation(laned, (snapshot) => roomOf(snapshot as AnyMachineSnapshot).typing)
}

/**
 * Does what was held, here and now rather than through the mailbox: when one of them crashes the room, the others are
 * still held, for the room that comes back.
 */
function runHeld(args: Args, serve: (args: Args) => void): void {
  const { held, backlog, failing } = roomOf(args)
  // The room crashed before it could act upon its log's failure.
  if (failing) return args.self.send({ type: 'room.storageFailed' })
  for (let event = held.shift(); event !== undefined; event = held.shift()) {
    backlog.remove(sizeOf((event as Partial<Args['event']>).message))
    try {
      serve({ ...args, event: event as Args['event'] })
    } catch (error) {
      answer(event, 'internal')
      throw error
    }
  }
  // A room that came back from a crash may find that nobody has waited for it.
  if (roomOf(args).size === 0) args.self.send({ type: 'room.emptied' })
}

/** A member of before is one at once: whoever keeps what sessions are shown as may ask before the log is open. */
function noteRestored({ context, event }: Args): void {
  const { session, state } = event as unknown as { session: Session; state?: Json }
  roomOf({ context }).add(session, state)
}

/** Takes everybody out of a room that cannot go on, and says so to them and to those who wait. */
export function giveUp(core: Core, room: RoomRecord): void {
  core.telemetry({ type: 'room.givenUp', room: room.name })
  const kept = room.unannounced.map(({ storing }) => storing)
  for (const { outbox, message } of [...kept, ...room.storing, ...room.readings.values()]) {
    outbox?.refuse(errorMessage('room-unavailable', message.id, room.name))
  }
  for (const event of [...room.held, ...room.turns.clear()] as readonly Partial<Args['event']>[]) {
    const { session } = event
    session?.rooms.delete(room.name)
    if (session !== undefined) core.sessionChanged(session)
    answer(event, 'room-unavailable', room.name)
  }
  room.held = []
  room.storing = []
  room.unannounced = []
  room.readings.clear()
  try {
    const answered = room.abandonLog()
    if (answered !== undefined) {
      core.abandonedLogs.set(room.name, answered)
      void answered.then(() => core.abandonedLogs.delete(room.name))
    }
  } catch {
    // It is lost as it is.
  }
  for (const session of room.sessions) {
    room.remove(session)
    core.sessionChanged(session)
    session.outbox?.settle(room)
    session.send(errorMessage('room-unavailable', undefined, room.name))
  }
}
