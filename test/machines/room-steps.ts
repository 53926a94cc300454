import { roomMachine } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'

// What can happen to a room, and a chart of one to which it does.

const session = {}
const request = (name: string): Step => ({ type: `room.${name}`, session, message: { type: name } })

export const join = request('join')
export const leave = request('leave')
export const publish = request('publish')
export const requests = [join, leave, publish, request('presence'), request('typing'), request('history')]
export const withdraw = { type: 'room.withdraw', session }
export const reappear = { type: 'room.reappear', session }
const identify = { type: 'room.identify', session }
export const restore = { type: 'room.restore', session, absent: true }
export const typingStarted = { type: 'typing.started', session }
export const typingStopped = { type: 'typing.stopped', session }
const evict = { type: 'room.evict', settled: true }
export const count = { type: 'room.count' }
export const read = { type: 'room.read', session, reading: {} }
/** The log has answered for a message; for the last one, where it is settled. */
export const stored = { type: 'room.stored', settled: false }
export const lastStored = { ...stored, settled: true }
/** The log failed, and has yet to answer for something. */
export const storageFailed = { type: 'room.storageFailed', settled: false }
export const emptied = { type: 'room.emptied', empty: true, kept: true }

export const opened = { type: 'xstate.done.actor.0.room.opening' }
export const failed = { type: 'xstate.error.actor.0.room.opening', error: 'no disk' }
export const openTimeout = { type: 'xstate.after.openTimeout.room.opening' }
export const linger = { type: 'xstate.after.linger.room.vacant' }

/** What came for the room, rather than from its log or its own timers. */
export const asked = [...requests, withdraw, reappear, restore]

export const chart = new Chart(roomMachine, {
  input: { room: {} },
  events: [
    ...asked,
    typingStarted,
    typingStopped,
    count,
    read,
    stored,
    lastStored,
    storageFailed,
    { ...storageFailed, settled: true },
    emptied,
    { ...emptied, kept: false },
    { ...emptied, empty: false },
    identify,
    { type: 'room.role', session },
    evict,
    { ...evict, settled: false },
  ],
  guards: {
    empty: ({ empty }) => empty === true,
    nothingToKeep: ({ kept }) => kept === false,
    settled: ({ settled }) => settled === true,
  },
})

/** A room to which something has happened. */
export async function played(...steps: readonly Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}
