import type { HistoryPage } from '../../client/index.ts'
import type { Visitor } from './visitor.ts'
import { rooms } from './plan.ts'
import type { World } from './world.ts'

/** By when what was begun for a time is over (ms): a server that goes, one that is down. */
const calmMs = 15_000

/** By when everything is as it should be from then on (ms): the heartbeat of a half-open connection, and the grace. */
const healMs = 60_000

/** No fault goes on, and no new one comes. */
export async function heal(world: World): Promise<void> {
  const { clock, network, disk } = world
  disk?.mend()
  if (disk !== undefined) disk.latencyMs = [0, 20]
  for (const device of network.devices.values()) {
    device.process.continue()
    device.reach = 'online'
    device.latencyMs = [0, 20]
    device.release()
    device.thaw()
  }
  world.server?.process.continue()
  for (const { client } of world.visitors) client.actor.send({ type: 'network.online' })
  await clock.advance(calmMs)
  if (world.server !== undefined) world.server.tokensEnd = false
  for (const device of network.devices.values()) device.thaw()
  await clock.advance(healMs)
}

/** What holds once everything has healed: everybody is back, sees what is so, and hears what is said. */
export async function checkHealed(world: World): Promise<void> {
  const { clock, court } = world
  if (world.server === undefined || !world.server.runtime.ready) court.accuse('ISOLATE', 'the server is not back')
  const here = world.visitors.filter(({ client }) => client.status !== 'closed')
  for (const { name, client, rooms: joined } of here) {
    if (client.status !== 'open') court.accuse('CLOSED', `${name} is ${client.status}, and not back`)
    for (const [room, { room: its }] of joined) {
      if (its.status !== 'joined') court.accuse('GAPLESS', `${name} is ${its.status} in ${room}, and not back`)
    }
  }
  for (const visitor of world.visitors) checkEnd(world, visitor)
  for (const room of rooms) await checkRoom(world, room, here)
  const everybody = [...world.visitors, ...world.gone]
  await clock.until(() => everybody.every(({ waiting }) => waiting === 0), 40_000)
  for (const { name, waiting } of everybody) {
    if (waiting > 0) court.accuse('CLOSED', `${waiting} calls of ${name} have never been answered`)
  }
}

/** A client is over only by its own wish, or because somebody has its session. */
function checkEnd({ court }: World, { name, client, hasQuit, device }: Visitor): void {
  if (client.status !== 'closed' || hasQuit || court.disturbed(device.name, 'robbed')) return
  court.accuse('ISOLATE', `${name} was sent away for good, with ${client.lastClose?.code}`)
}

async function checkRoom(world: World, name: string, here: readonly Visitor[]): Promise<void> {
  const { clock, court } = world
  const members = here.filter(({ rooms }) => rooms.get(name)?.room.status === 'joined')
  const [first] = members
  if (first === undefined) return
  // Not only visitors: an intruder may have been in with somebody's session, and have left it there.
  const users = world.presence.usersIn(name)
  for (const member of members) {
    const { room } = member.rooms.get(name) ?? {}
    if (room === undefined) continue
    const shown = room.presence.get().map(({ user }) => user)
    const isCount = name.startsWith('count:')
    if (!users.includes(member.user))
      court.accuse('PRESENCE', `${member.name} is in ${name}, and the server knows nothing of it`)
    const right = isCount ? room.presence.count === users.length : shown.toSorted().join() === users.join()
    if (!right) {
      const sees = isCount ? room.presence.count : shown.join()
      court.accuse('PRESENCE', `${member.name} sees ${sees} in ${name}, where ${users.join()} are`)
    }
    if (room.typists.length > 0)
      court.accuse('TYPING', `${member.name} sees ${room.typists.join()} type in ${name} still`)
  }
  const n = first.say(name)
  await clock.until(() => members.every(({ rooms }) => rooms.get(name)?.heard === n), 5_000)
  const [top] = members.map(({ rooms }) => rooms.get(name)?.view.position)
  for (const { name: who, rooms } of members) {
    const { view, room } = rooms.get(name) ?? {}
    if (view === undefined || room === undefined) continue
    const { epoch, offset } = view.position ?? {}
    if (epoch !== top?.epoch || offset !== top?.offset) {
      court.accuse(
        'GAPLESS',
        `${who} has not come further than ${offset} of ${name}, and ${first.name} to ${top?.offset}`,
      )
    }
    view.healed(room.heals)
  }
  if (top === undefined) {
    court.accuse('GAPLESS', `${first.name} spoke in ${name}, and nobody heard it`)
    return
  }
  await audit(world, first, name)
}

/** Every message that was acknowledged stands in the log. */
async function audit({ clock, court, logs }: World, { rooms, name: who }: Visitor, name: string): Promise<void> {
  const room = rooms.get(name)?.room
  const present = new Set<number>()
  let [before, epoch]: [number | undefined, string | undefined] = [undefined, undefined]
  for (let page = 0; page < 20; page++) {
    let answer: HistoryPage | undefined
    room?.history(before === undefined ? {} : { before }).then(
      (value) => (answer = value),
      () => {},
    )
    await clock.until(() => answer, 3_000)
    if (answer === undefined) return court.accuse('ONCE', `${who} could not read the log of ${name}`)
    for (const message of answer.messages) present.add(message.offset)
    epoch ??= answer.messages[0]?.epoch
    before = answer.messages[0]?.offset
    if (answer.complete || before === undefined) break
  }
  const missing = epoch === undefined ? undefined : logs.missing(epoch, present)
  if (missing !== undefined) court.accuse('ONCE', `${missing} of ${name} was acknowledged, and is not in the log`)
}

/** Everybody goes, the server ends, and nothing is left. */
export async function checkLeft(world: World): Promise<void> {
  const { clock, court, server } = world
  for (const { client } of world.visitors) client.close()
  court.excuse('server leaving')
  const closed = server?.runtime.close()
  let hasClosed = false
  void closed?.then(() => (hasClosed = true))
  await clock.until(() => hasClosed, 60_000)
  // What is on its way to the clients arrives.
  await clock.advance(1_000)
  if (server === undefined) return
  const { connections, sessions, rooms: open } = server.runtime.census
  if (connections + sessions + open > 0) {
    court.accuse('CLOSED', `${connections} connections, ${sessions} sessions and ${open} rooms are left`)
  }
  if (server.process.pending > 0) court.accuse('CLOSED', `${server.process.pending} timers of the server are left`)
  for (const { name, process } of world.network.devices.values()) {
    if (process.pending > 0) court.accuse('CLOSED', `${process.pending} timers of ${name} are left`)
  }
}
