import type { ClientRoom, HistoryPage } from '../../client/index.ts'
import type { PromiseId } from './court.ts'
import type { Visitor } from './visitor.ts'
import { rooms } from './plan.ts'
import type { World } from './world.ts'

/** By when what was begun for a time is over (ms): a server that goes, one that is down. */
const calmMs = 15_000

/** By when credentials that end have ended, and the grace for renewing them (ms). */
const tokenEndMs = 46_000

/** By when everything is as it should be from then on (ms): the heartbeat of a half-open connection, and the grace. */
const healMs = 60_000

/** By when sessions and rooms that nobody comes back to have ended (ms): intruders stay for a minute. */
const emptyMs = 500_000

/** For how long a message is certainly kept, whatever was done to the server's clock (ms). */
const keptMs = 150_000

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
  world.faultyTokens.clear()
  if (world.server !== undefined) world.server.tokensEnd = false
  // Those that have been given out end in that time.
  if (world.setting.tokenMs !== undefined) await clock.advance(tokenEndMs)
  for (const device of network.devices.values()) device.thaw()
  // Now and then so long that sessions and rooms end which nobody comes back to.
  if (world.random.chance(0.05)) await clock.advance(400_000)
  await clock.until(() => whatIsWrong(world) === undefined, healMs)
}

/** What holds once everything has healed: everybody is back, sees what is so, and hears what is said. */
export async function checkHealed(world: World): Promise<void> {
  const { clock, court } = world
  const wrong = whatIsWrong(world)
  if (wrong !== undefined) court.accuse(...wrong)
  for (const room of rooms) await checkRoom(world, room)
  const everybody = [...world.visitors, ...world.gone]
  await clock.until(() => everybody.every(({ waiting }) => waiting === 0), 40_000)
  for (const { name, waiting } of everybody) {
    if (waiting > 0) court.accuse('CLOSED', `${waiting} calls of ${name} have never been answered`)
  }
}

type Accusation = readonly [promise: PromiseId, says: string]

/** What is not as it should be, of what takes time to become so. */
function whatIsWrong(world: World): Accusation | undefined {
  if (world.server === undefined || !world.server.runtime.ready) return ['ISOLATE', 'the server is not back']
  for (const { device } of world.server.tap.connections.keys()) {
    if (world.network.device(device).links.size > 0) continue
    return ['PRESENCE', `the server believes in a connection of ${device} that has been cut`]
  }
  for (const { name, client, rooms: joined, hasQuit, device } of world.visitors) {
    if (client.status === 'closed') {
      // Only by its own wish, or because somebody has its session.
      if (hasQuit || world.court.disturbed(device.name, 'robbed')) continue
      return ['ISOLATE', `${name} was sent away for good, with ${client.lastClose?.code}`]
    }
    if (client.status !== 'open') return ['CLOSED', `${name} is ${client.status}, and not back`]
    if (device.link === undefined) return ['CLOSED', `${name} believes in a connection that has been cut`]
    for (const [room, { room: its }] of joined) {
      if (its.status !== 'joined') return ['GAPLESS', `${name} is ${its.status} in ${room}, and not back`]
      if (its.typists.length > 0) return ['TYPING', `${name} sees ${its.typists.join()} type in ${room} still`]
      const wrong = whatIsWrongWith(world, name, its)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}

/** Who is here is who is shown. Not only visitors: an intruder may have been in with somebody's session. */
function whatIsWrongWith(world: World, visitor: string, { name, presence }: ClientRoom): Accusation | undefined {
  const users = world.presence.usersIn(name)
  const perhaps = world.presence.usersPerhapsIn(name)
  const isCount = name.startsWith('count:')
  const shown = presence.get().map(({ user }) => user)
  const isRight = isCount
    ? presence.count >= users.length && presence.count <= perhaps.length
    : users.every((user) => shown.includes(user)) && shown.every((user) => perhaps.includes(user))
  if (isRight) {
    return isCount ? undefined : whatIsWrongWithMoods(world, visitor, name, presence)
  }
  return [
    'PRESENCE',
    `${visitor} sees ${isCount ? presence.count : shown.join()} in ${name}, where ${users.join()} are`,
  ]
}

/** What somebody has said of itself, by the only tab that it is here with, is what is shown of it. */
function whatIsWrongWithMoods(
  world: World,
  visitor: string,
  name: string,
  presence: ClientRoom['presence'],
): Accusation | undefined {
  for (const { user, rooms: its, device } of world.visitors) {
    const mood = its.get(name)?.mood
    const isAlone = world.visitors.every((other) => other.user !== user || other.device === device)
    if (mood === undefined || !isAlone || world.court.disturbed(device.name, 'robbed')) continue
    const shown = presence.get().find((member) => member.user === user)?.state as { readonly mood?: number } | undefined
    if (shown?.mood !== mood)
      return ['PRESENCE', `${visitor} sees ${user} in ${name} with ${shown?.mood}, who said ${mood}`]
  }
  return undefined
}

async function checkRoom(world: World, name: string): Promise<void> {
  const { clock, court } = world
  const members = world.visitors.filter(({ rooms }) => rooms.get(name)?.room.status === 'joined')
  const [first] = members
  if (first === undefined) return
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
  for (let page = 0; page < 200; page++) {
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
  const missing = epoch === undefined ? undefined : logs.missing(epoch, present, keptMs)
  if (missing !== undefined) court.accuse('ONCE', `${missing} of ${name} was acknowledged, and is not in the log`)
}

/** When nobody comes back, sessions end after the resume window, and rooms after their linger; the disk knows it too. */
async function checkEmptied({ clock, court, server, disk }: World): Promise<void> {
  await clock.advance(emptyMs)
  const { connections = 0, sessions = 0, rooms: open = 0 } = server?.runtime.census ?? {}
  if (connections + sessions + open > 0) {
    court.accuse('CLOSED', `${connections} connections, ${sessions} sessions and ${open} rooms outlive everybody`)
  }
  if (disk !== undefined && disk.sessionCount > 0)
    court.accuse('CLOSED', `${disk.sessionCount} sessions stay on the disk`)
}

/** Everybody goes, the server ends, and nothing is left. */
export async function checkLeft(world: World): Promise<void> {
  const { clock, court, server } = world
  for (const { client } of world.visitors) client.close()
  world.leftAtMs = world.nowMs
  await checkEmptied(world)
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
