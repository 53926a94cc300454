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
    const user = client.authenticate()
    await stage.clock.settle()
    expect([await user, known, client.user, errors]).toEqual(['ada', ['ada'], 'ada', []])
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
    const none = client.authenticate()
    await stage.clock.settle()
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['not-authenticated', 'token() failed: Error: it gave none'],
    ])
    await expect(none).rejects.toBe(errors[0])
    held.token = 'bad'
    const refused = client.authenticate()
    await stage.clock.settle()
    await expect(refused).rejects.toMatchObject({ code: 'not-authenticated' })
    // Nobody asked for more than that one attempt.
    await stage.clock.advance(3_600_000)
    expect(errors).toHaveLength(2)
    expect([client.status, client.user, known]).toEqual(['open', 'somebody', []])
    expect(errors.at(-1)).toMatchObject({ code: 'not-authenticated' })
    held.token = 'ada'
    client.authenticate()
    await stage.clock.settle()
    expect(known).toEqual(['ada'])
    client.close()
    await expect(client.authenticate()).rejects.toMatchObject({ code: 'closed' })
  })

  it('presents the token that there is when it is asked to, and none from before, whatever is under way', async () => {
    const stage = new Stage(byName)
    const tokens: ((token: string) => void)[] = []
    const slow = stage.client({ token: () => new Promise<string>((resolve) => tokens.push(resolve)) })
    await stage.clock.settle()
    // While its connection waits for the first token.
    const first = slow.authenticate()
    await stage.clock.settle()
    tokens[0]?.('eve')
    await stage.clock.settle()
    expect([slow.status, tokens.length]).toEqual(['authenticating', 2])
    tokens[1]?.('bob')
    await stage.clock.settle()
    expect([await first, slow.user]).toEqual(['bob', 'bob'])
    // While a token is awaited for it.
    const [second, third] = [slow.authenticate(), slow.authenticate()]
    await stage.clock.settle()
    tokens[2]?.('eve')
    tokens[3]?.('bob')
    await stage.clock.settle()
    expect(await Promise.all([second, third])).toEqual(['bob', 'bob'])
  })

  it('presents another after the one that is being checked, and tells of each', async () => {
    const checks: [string, () => void][] = []
    const stage = new Stage({
      guest: () => ({ id: 'somebody' }),
      authenticate: ({ token = '' }) =>
        new Promise((resolve, reject) => {
          checks.push([token, () => (token === 'bad' ? reject(new Error('Who is this?')) : resolve({ id: token }))])
        }),
    })
    let token: string | undefined
    const client = stage.client({ token: () => token })
    await stage.clock.settle()
    token = 'bad'
    const bad = client.authenticate()
    await stage.clock.settle()
    token = 'ada'
    const good = client.authenticate()
    await stage.clock.settle()
    expect(checks.map(([shown]) => shown)).toEqual(['bad'])
    checks[0]?.[1]()
    await stage.clock.settle()
    await expect(bad).rejects.toMatchObject({ code: 'not-authenticated' })
    expect(checks.map(([shown]) => shown)).toEqual(['bad', 'ada'])
    checks[1]?.[1]()
    await stage.clock.settle()
    expect([await good, client.user]).toEqual(['ada', 'ada'])
  })

  it('is told by the next connection when this one is lost, and by none once it is closed', async () => {
    const stage = new Stage({ ...byName, guest: () => ({ id: 'somebody' }) })
    const device = stage.network.device('phone')
    const held: { token: string | undefined } = { token: undefined }
    const client = stage.client({ device: 'phone', token: () => held.token })
    await stage.clock.advance(1_000)
    expect(client.user).toBe('somebody')
    held.token = 'ada'
    device.stall()
    const user = client.authenticate()
    await stage.clock.advance(5)
    device.cut()
    device.release()
    await stage.clock.advance(60_000)
    expect(await user).toBe('ada')
    const late = client.authenticate()
    client.close()
    await expect(late).rejects.toMatchObject({ code: 'closed' })
  })
})
