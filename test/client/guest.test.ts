import { describe, expect, it } from 'vitest'
import type { ClientError } from '../../src/client/index.ts'
import { defineRoom } from '../../src/index.ts'
import { byName } from '../protocol/cast.ts'
import { Stage } from '../stage.ts'

function guests() {
  const stage = new Stage({
    ...byName,
    guest: () => ({ id: 'somebody' }),
    rooms: { 'staff:*': defineRoom({ guests: false }) },
  })
  const held: { token: string | undefined } = { token: undefined }
  const client = stage.client({ token: () => held.token })
  const [known, errors]: [string[], ClientError[]] = [[], []]
  client.on('authenticated', (user) => known.push(user))
  client.on('error', (error) => errors.push(error))
  return { stage, client, held, known, errors }
}

describe('a client without a token', () => {
  it('[AUTH-3] is a guest, and becomes a user on the connection that is there', async () => {
    const { stage, client, held, known, errors } = guests()
    const room = client.join('main')
    await stage.clock.settle()
    expect([client.user, room.presence.get().map(({ user }) => user)]).toEqual(['somebody', ['somebody']])
    held.token = 'ada'
    client.authenticate()
    await stage.clock.settle()
    expect([known, client.user, errors]).toEqual([['ada'], 'ada', []])
    expect(room.presence.get().map(({ user }) => user)).toEqual(['ada'])
    const sent = client.join('staff:1').send('hello')
    await stage.clock.settle()
    expect(await sent).toMatchObject({ offset: 1 })
    expect(stage.telemetry.filter(({ type }) => type === 'connection.opened')).toHaveLength(1)
  })

  it('[AUTH-2] is told when there still is none, or the server does not take it, and stays', async () => {
    const { stage, client, held, known, errors } = guests()
    client.join('main')
    await stage.clock.settle()
    client.authenticate()
    await stage.clock.settle()
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['not-authenticated', 'token() failed: Error: it gave none'],
    ])
    held.token = 'bad'
    client.authenticate()
    await stage.clock.settle()
    expect([client.status, client.user, known]).toEqual(['open', 'somebody', []])
    expect(errors.at(-1)).toMatchObject({ code: 'not-authenticated' })
    held.token = 'ada'
    client.authenticate()
    await stage.clock.settle()
    expect(known).toEqual(['ada'])
  })
})
