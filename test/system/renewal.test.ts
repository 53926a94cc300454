import { SignJWT } from 'jose'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createRuntime, type TelemetryEvent } from 'greenroom'
import { jwt } from 'greenroom/auth'
import { createClient, type Client } from 'greenroom/client'

const secret = 'a secret that has more than 32 bytes in it'
const lifeMs = 1_200

const sign = (user: string): Promise<string> =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime((Date.now() + lifeMs) / 1_000)
    .sign(new TextEncoder().encode(secret))

/** Resolves when the server has taken so many fresh tokens. */
function renewed({ actor }: Client, times: number): Promise<void> {
  let [left, was] = [times, '']
  return new Promise((resolve) => {
    actor.subscribe(({ value }) => {
      const { identity } = (value as { open?: { identity: string } }).open ?? { identity: '' }
      if (was === 'presenting' && identity === 'held' && --left === 0) resolve()
      was = identity
    })
  })
}

it('[AUTH-5] A client stays on one connection for longer than any of its JSON Web Tokens holds', async () => {
  const telemetry: TelemetryEvent[] = []
  const runtime = createRuntime({
    authenticate: jwt({ secret }),
    renewalGraceMs: 1_000,
    telemetry: (event) => telemetry.push(event),
  })
  onTestFinished(() => runtime.close())
  const port = await runtime.listen(0, { host: '127.0.0.1' })
  let asked = 0
  const token = (): Promise<string> => {
    asked++
    return sign('ada')
  }
  const startMs = Date.now()
  const client = createClient(`ws://127.0.0.1:${port}/ws`, { token, WebSocket })
  onTestFinished(() => client.close())
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  const room = client.join('main')
  await renewed(client, 3)
  expect((await room.send('still here')).offset).toBe(1)
  expect(Date.now() - startMs).toBeGreaterThan(lifeMs + 1_000)
  expect([client.status, client.user, asked, errors]).toEqual(['open', 'ada', 4, []])
  expect(telemetry.map(({ type }) => type)).toEqual(['connection.opened'])
})
