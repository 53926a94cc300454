import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineHandler } from '../../src/index.ts'
import { Stage } from '../stage.ts'

describe('a client whose data does not fit', () => {
  it('[SCHEMA-1] is told what is wrong, for messages and requests', async () => {
    const schema = z.object({ text: z.string().max(3) })
    const stage = new Stage({
      rooms: { main: { messageSchema: schema } },
      handlers: { echo: defineHandler({ schema, handle: ({ text }) => text }) },
    })
    const client = stage.client()
    const room = client.join('main')
    const said = room.send({ text: 'too long' })
    const asked = client.request('echo', { text: 1 })
    const fine = client.request('echo', { text: 'abc' })
    const failures = Promise.allSettled([said, asked])
    await stage.clock.settle()
    for (const failure of await failures) {
      expect(failure).toMatchObject({ reason: { code: 'invalid-data', issues: [{ path: ['text'] }] } })
    }
    expect(await fine).toBe('abc')
  })
})
