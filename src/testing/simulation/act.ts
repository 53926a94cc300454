import { intrude } from './intruder.ts'
import { rooms, visitorName, type SimulationAction } from './plan.ts'
import type { World } from './world.ts'

type Doing<Name extends SimulationAction['do']> = Extract<SimulationAction, { readonly do: Name }>

/** How the world does each action. What cannot be done just now is not done. */
const doings: { readonly [Name in SimulationAction['do']]: (world: World, action: Doing<Name>) => void } = {
  join: (world, { who, room }) => world.visitor(who).join(roomOf(room)),
  leave: (world, { who, room }) => world.visitor(who).leave(roomOf(room)),
  say: (world, { who, room, size, binary }) => void world.visitor(who).say(roomOf(room), { size, binary }),
  shout: (world, { who, room }) => void world.visitor(who).say(roomOf(room), { volatile: true }),
  flood: (world, { who, room }) => {
    for (let i = 0; i < 25; i++) world.visitor(who).say(roomOf(room), { size: 6_000 })
  },
  presence: (world, { who, room }) => world.visitor(who).show(roomOf(room)),
  type: (world, { who, room, typing }) => world.visitor(who).type(roomOf(room), typing),
  history: (world, { who, room }) => world.visitor(who).history(roomOf(room)),
  call: (world, { who, kind }) => world.visitor(who).call(kind),
  quit: (world, { who }) => world.visitor(who).quit(),
  wake: (world, { who }) => world.visitor(who).client.actor.send({ type: 'client.wake' }),
  'go offline': (world, { who }) => world.visitor(who).client.actor.send({ type: 'network.offline' }),
  'go online': (world, { who }) => world.visitor(who).client.actor.send({ type: 'network.online' }),
  cut: (world, { who, noticedBy, afterMs }) => {
    world.court.disturb(visitorName(who), 'cut')
    world.visitor(who).device.cut({ noticedBy, afterMs })
  },
  stall: (world, { who, forMs }) => {
    const { device } = world.visitor(who)
    const links = [...device.links]
    world.court.disturb(device.name, 'stall')
    for (const link of links) link.stall()
    world.clock.setTimeout(() => {
      for (const link of links) link.release()
    }, forMs)
  },
  freeze: (world, { who, forMs }) => {
    const { device } = world.visitor(who)
    world.court.disturb(device.name, 'freeze')
    device.freeze()
    world.clock.setTimeout(() => device.thaw(), forMs)
  },
  sleep: (world, { who, forMs }) => {
    const { device } = world.visitor(who)
    world.court.disturb(device.name, 'sleep')
    device.process.stop()
    world.clock.setTimeout(() => device.process.continue(), forMs)
  },
  refuse: (world, { who, forMs }) => reach(world, who, 'refused', forMs),
  ignore: (world, { who, forMs }) => reach(world, who, 'unanswered', forMs),
  lose: (world, { who, count }) => {
    const { device } = world.visitor(who)
    const { link } = device
    if (link === undefined) return
    world.court.disturb(device.name, 'lose')
    world.court.disturb(device.name, 'cut')
    link.toClient.lose(count)
    // TCP loses nothing from its middle: a connection of which that is true does not last.
    world.clock.setTimeout(() => link.cut(), 10_000)
  },
  crash: (world, { what, who, room }) => {
    world.court.excuse(what === 'heartbeat' ? 'connection crashed' : `${what} crashed`)
    const crashed = world.server?.crash(what, visitorName(who), roomOf(room))
    if (what === 'session') world.presence.forget(crashed?.session)
  },
  'crash everything': (world) => {
    world.court.excuse('room crashed')
    for (let time = 0; time < 4; time++) for (const room of rooms) world.server?.crash('room', '', room)
  },
  'token fails': (world, { who }) => void world.faultyTokens.set(visitorName(who), 'fails'),
  'token is bad': (world, { who }) => {
    // Whoever is refused stays away.
    world.court.disturb(visitorName(who), 'intruder')
    world.court.disturb(visitorName(who), 'robbed')
    world.faultyTokens.set(visitorName(who), 'is bad')
  },
  kill: (world, { forMs, noticed }) => {
    const { server } = world
    if (server === undefined) return
    world.court.excuse('server restarted')
    server.process.kill()
    world.network.lose('server', { noticedBy: noticed ? 'client' : 'nobody' })
    world.lost()
    world.clock.setTimeout(() => world.start(), forMs)
  },
  stop: (world, { forMs }) => {
    const { server } = world
    if (server === undefined) return
    world.court.excuse('server stopped')
    server.process.stop()
    world.clock.setTimeout(() => server.process.continue(), forMs)
  },
  'set clock': (world, { byMs }) => {
    world.court.excuse('clock set')
    world.skewMs += byMs
    if (world.keepsSessions) world.presence.clockSet(byMs)
    world.server?.process.setClock(byMs)
  },
  drain: (world, { withinMs }) => world.leave((server) => server.runtime.drain({ withinMs })),
  close: (world) => world.leave((server) => server.runtime.close()),
  'disk fails': ({ disk, court }, { at }) => {
    if (disk === undefined) return
    if (at === 'append') court.excuse('disk failed to write')
    else if (at === 'crash') court.excuse('room crashed')
    else if (at === 'read') court.excuse('disk failed to read')
    else if (at === 'open') court.excuse('disk failed to open')
    else if (at === 'restore') court.excuse('server leaving')
    else court.excuse('disk failed for a session')
    disk.failNext(at)
  },
  'disk is slow': ({ disk, court, clock }, { forMs }) => {
    if (disk === undefined) return
    court.excuse('disk slow')
    const usual = disk.latencyMs
    disk.latencyMs = [0, 15_000]
    clock.setTimeout(() => {
      disk.latencyMs = usual[1] > 1_000 ? [0, 20] : usual
    }, forMs)
  },
  'log is lost': ({ disk, court }, { room }) => {
    if (disk === undefined) return
    court.excuse('log lost')
    disk.loseLog(roomOf(room))
  },
  intruder: (world, { who, room, does }) => {
    const device = world.network.device(`intruder-${world.network.devices.size}`)
    world.court.disturb(device.name, 'intruder')
    const victim = world.visitor(who).device.name
    if (does === 'takes over' || does === 'comes back late' || does === 'comes too late')
      world.court.disturb(victim, 'robbed')
    intrude(does, device, roomOf(room), world.secrets.get(victim), world)
  },
}

/** Does it. */
export function act(world: World, action: SimulationAction): void {
  ;(doings[action.do] as (world: World, action: SimulationAction) => void)(world, action)
}

const roomOf = (index: number): string => rooms[index] ?? rooms[0]

function reach(world: World, who: number, how: 'refused' | 'unanswered', forMs: number): void {
  const { device } = world.visitor(who)
  world.court.disturb(device.name, 'ignore')
  device.reach = how
  world.clock.setTimeout(() => {
    device.reach = 'online'
  }, forMs)
}
