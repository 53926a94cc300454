import type { Device } from '../network/device.ts'
import type { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { WireClient } from '../wire-client.ts'
import type { Intrusion } from './plan.ts'

/** A session that somebody else has, as an intruder knows it. */
export interface Stolen {
  readonly session: string
  readonly secret: string
  readonly user: string
}

/** Frames that break something each. */
const babble: readonly (string | Uint8Array)[] = [
  'no json',
  '[]',
  '{"type":"constructor"}',
  '{"type":"xstate.init","id":1}',
  '{"type":"join","room":""}',
  '{"type":"join","room":"__proto__","since":{"epoch":"x","offset":-1}}',
  '{"type":"message","room":"hall","data":1,"id":{}}',
  `{"type":"message","room":"hall","data":${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
  '{"type":"message","room":"hall","data":1,"meta":{"values":{"a":["regexp"]}}}',
  '{"type":"history","room":"hall","limit":0}',
  '{"type":"presence","room":"hall"}',
  '{"type":"reply","id":7,"data":1}',
  '{"type":"welcome","session":"x"}',
  new Uint8Array([0, 0, 0, 9, 1]),
  new Uint8Array(0),
]

/** Somebody without a library, who does what no library would. Each device of this kind is used once. */
export function intrude(
  does: Intrusion,
  device: Device,
  room: string,
  stolen: Stolen | undefined,
  world: { readonly clock: VirtualClock; readonly random: SeededRandom },
): void {
  const { clock, random } = world
  const polite = does !== 'babbles' && does !== 'comes back late' && does !== 'floods'
  const socket = device.connect('server', polite ? { protocol: 'greenroom.v1' } : { token: 'mallory' })
  const client = new WireClient(socket, clock, device.name)
  const say = (...messages: readonly (object | string | Uint8Array)[]): void => {
    if (socket.readyState === 1) for (const message of messages) client.send(message)
  }
  const join = { type: 'join', room, id: 'j' }
  socket.onopen = () => {
    switch (does) {
      case 'takes over':
        if (stolen !== undefined) say({ type: 'hello', token: stolen.user, resume: stolen }, join)
        break
      case 'comes too late':
        // By an attempt that its client has given up long since.
        if (stolen !== undefined) say({ type: 'hello', token: stolen.user, resume: { ...stolen, attempt: 0 } }, join)
        break
      case 'guesses':
        if (stolen !== undefined)
          say({ type: 'hello', token: stolen.user, resume: { ...stolen, secret: 'guess' } }, join)
        break
      case 'renews':
        say({ type: 'hello', token: 'renata' }, join)
        say({ type: 'auth', token: 'renata', id: 1 }, { type: 'auth', token: 'bad', id: 2 })
        for (const [token, afterMs] of [
          ['bad', 1_000],
          ['slow', 2_000],
          ['renata', 15_000],
          ['somebody else', 18_000],
          ['renata', 38_000],
        ] as const) {
          clock.setTimeout(() => say({ type: 'auth', token, id: afterMs }), afterMs)
        }
        break
      case 'is refused':
        say({ type: 'hello', token: 'bad' }, join)
        break
      case 'speaks first':
        say(join, { type: 'auth', token: 'mallory', id: 'a' }, { type: 'hello', token: 'mallory' }, { type: 'ping' })
        break
      case 'is silent':
        break
      case 'comes back late':
        say(join)
        clock.setTimeout(() => {
          if (stolen !== undefined) say({ type: 'hello', resume: stolen, id: 'h' }, join)
        }, 500)
        break
      case 'floods':
        // Before the welcome, or after it, as it comes.
        for (let i = 0; i < 40; i++) say({ type: 'ping', id: i })
        break
      case 'babbles':
        say(join)
        for (let i = 0; i < 5; i++) say(babble[random.between(0, babble.length - 1)] ?? '')
        if (random.chance(0.1)) say('x'.repeat(70_000))
        break
      default:
        does satisfies never
    }
  }
  clock.setTimeout(
    () => socket.close(random.chance(0.5) ? 1000 : 1001),
    (does === 'renews' ? 60 : random.between(1, 60)) * 1_000,
  )
}
