import { describe, expect, it, onTestFinished } from 'vitest'
import { Budget } from '../../src/runtime/budget.ts'
import { decide } from '../../src/runtime/connection/deciding.ts'
import { Inbox } from '../../src/runtime/connection/inbox.ts'
import { Steps } from '../../src/runtime/actors/steps.ts'
import { ask, byName } from '../protocol/cast.ts'
import { Stage } from '../stage.ts'

describe('a decision of the application', () => {
  it('[CLOSED] that comes to nothing when the connection is over already is of no consequence', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    const core = { budget: new Budget(1), steps: new Steps(), settings: {} }
    const inbox = new Inbox(core as never, {} as never, {} as never, { count: 1, bytes: 1, calls: 1 }, () => {})
    inbox.close()
    const told: unknown[] = []
    const tell = (what: unknown): void => void told.push(what)
    decide({ ...core, inboxOf: () => inbox } as never, {} as never, {
      callback: 'authorize',
      id: 1,
      ordered: true,
      ask: () => Promise.reject(new Error('too late')),
      answered: tell,
      undecided: tell,
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([unhandled, told]).toEqual([[], []])
  })

  it('[CALL-2] may be a query that runs when it is awaited: it runs once', async () => {
    let runs = 0
    const query = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve: (answer: boolean) => void) => {
        runs++
        resolve(true)
      },
    }
    const stage = new Stage({ ...byName, authorize: () => query as never })
    const ada = await stage.connect({ token: 'ada' })
    await ask(stage, ada, { type: 'join', room: 'main' })
    expect([ada.last('joined')['room'], runs]).toEqual(['main', 1])
  })
})
