import { afterAll, beforeAll, describe, expect } from 'vitest'
import { WebSocket } from 'ws'
import { createClient, type Client, type ClientRoom } from 'greenroom/client'
import { AbuseStage } from './abuse-stage.ts'
import type { Attacker } from './attacker.ts'

const crowd = 2_000
const missed = 20

/** One of the crowd: the library's own client, and the socket that it has just now. */
class Member {
  readonly offsets: (number | undefined)[] = []
  readonly #client: Client
  readonly #room: ClientRoom
  #socket: WebSocket | undefined

  constructor(url: string, token: string) {
    const tell = (socket: WebSocket): void => void (this.#socket = socket)
    class Told extends WebSocket {
      constructor(address: string, protocols?: string | string[]) {
        super(address, protocols)
        tell(this)
      }
    }
    this.#client = createClient(url, { token, WebSocket: Told })
    this.#room = this.#client.join('crowd')
    this.#room.on('message', ({ offset }) => void this.offsets.push(offset))
  }

  /** Resolves when it has been let into the room, for the first time or again. */
  joined(): Promise<{ readonly recovered: boolean }> {
    return new Promise((resolve) => void this.#room.on('joined', resolve))
  }

  cut(): void {
    this.#socket?.terminate()
  }

  leave(): void {
    this.#client.close()
  }
}

describe('a crowd', () => {
  const stage = new AbuseStage({
    connectionsPerAddress: 10_000,
    unauthenticatedConnections: 5_000,
    resumeWindowMs: 60_000,
    presenceGraceMs: 30_000,
    rooms: { crowd: { presence: 'count', history: 1_000 } },
  })
  const members: Member[] = []
  let speaker: Attacker
  let said = 0

  beforeAll(async () => {
    const url = `ws://127.0.0.1:${stage.server.port}/ws`
    while (members.length < crowd) {
      const more = Array.from({ length: 200 }, (_, i) => new Member(url, `${members.length + i}`))
      await Promise.all(more.map((member) => member.joined()))
      members.push(...more)
    }
  }, 60_000)
  afterAll(() => members.forEach((member) => member.leave()))

  stage.abuse(
    'return.many',
    async () => {
      speaker = await stage.enter({ answersPings: true })
      await speaker.ask({ type: 'join', room: 'crowd' })
      const back = members.map((member) => member.joined())
      for (const member of members) member.cut()
      for (let i = 0; i < missed; i++) await speaker.ask({ type: 'message', room: 'crowd', data: ++said })
      const recovered = (await Promise.all(back)).filter((joined) => joined.recovered)
      expect(recovered).toHaveLength(crowd)
      const all = Array.from({ length: said }, (_, i) => i + 1)
      for (const { offsets } of members) expect(offsets).toEqual(all)
      await speaker.leave()
    },
    { rehearsals: 1, withinMs: 3_000 },
  )
})
