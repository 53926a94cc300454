import { expect } from 'vitest'
import { joined, message, ScriptedServer, type Wire } from './scripted-server.ts'

/** A member of `main`, and everything that it is told, in order. */
export async function member(server = new ScriptedServer()) {
  const client = server.client()
  const room = client.join('main')
  const heard: unknown[] = []
  room.on('message', ({ data }) => heard.push(data))
  for (const type of ['skipped', 'gap', 'joined'] as const) room.on(type, (value) => heard.push({ [type]: value }))
  room.on('error', ({ code }) => heard.push({ error: code }))
  await server.clock.advance(100)
  expect(heard.splice(0)).toEqual([{ joined: { recovered: false, healed: false } }])
  return { server, client, room, heard }
}

/** Answers the next join only when it is told to. */
export function holdJoins(server: ScriptedServer): { answer: (more?: object) => Promise<void> } {
  server.answer('join', () => {})
  return {
    answer: (more) => server.say(joined(server.of('join').at(-1) as Wire, more)),
  }
}

/** What a `joined` brings that gives back what was missed. */
export const replay = (...offsets: number[]) => ({
  recovered: true,
  offset: offsets.at(-1),
  messages: offsets.map((offset) => message(offset)),
})
