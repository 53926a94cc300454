import { describe, expect, it } from 'vitest'
import type { LoggedMessage } from 'greenroom/client'
import { MessageLog, type Entry } from '../../examples/chat/page/message-log.ts'

const from = (user: string) => ({ user, session: `${user}-1` })

function received(offset: number, data: unknown, user = 'bob', at = 1_000 + offset): LoggedMessage {
  return { epoch: 'one', offset, data, from: from(user), at: new Date(at), replayed: false, volatile: false }
}

const texts = (entries: readonly Entry[]): string[] => entries.map(({ text }) => text)

describe('message log', () => {
  it('orders by offset, whatever came first', () => {
    const log = new MessageLog('ada')
    for (const offset of [3, 1, 2]) log.take(received(offset, String(offset)))
    expect(texts(log.entries)).toEqual(['1', '2', '3'])
  })

  it('takes a message once, live or with the history', () => {
    const log = new MessageLog('ada')
    expect(log.take(received(1, 'once'))).toBe(true)
    expect(log.take({ ...received(1, 'once'), replayed: true })).toBe(false)
    expect(texts(log.entries)).toEqual(['once'])
  })

  it('takes a message once that its sender repeated after the log was lost', () => {
    const log = new MessageLog('ada')
    log.take(received(7, { text: 'hello', key: 'k' }))
    log.interrupt('gap')
    log.take(received(1, { text: 'hello', key: 'k' }, 'bob', 9_000))
    log.take(received(2, { text: 'hello', key: 'k' }, 'carol', 9_001))
    expect(texts(log.entries)).toEqual(['hello', 'gap', 'hello'])
  })

  it("keeps one's own message behind the others until the server has given it its place", () => {
    const log = new MessageLog('ada')
    const entry = log.write('mine', 'Ada', 'k', new Date(0))
    log.take(received(1, 'theirs'))
    expect(texts(log.entries)).toEqual(['theirs', 'mine'])
    expect(log.take(received(2, { text: 'mine', key: 'k' }, 'ada'))).toBe(false)
    log.take(received(3, 'theirs again'))
    log.confirm(entry, 2)
    log.fail(entry)
    expect(texts(log.entries)).toEqual(['theirs', 'mine', 'theirs again'])
    expect(log.entries[1]).toBe(entry)
    expect(entry).toMatchObject({ delivery: 'sent', at: new Date(1_002) })
  })

  it('gives a message its place by the receipt when it does not come back', () => {
    const log = new MessageLog('ada')
    const entry = log.write('mine', 'Ada', 'k', new Date(0))
    log.take(received(2, 'later'))
    log.confirm(entry, 1)
    log.take(received(1, { text: 'mine', key: 'k' }, 'ada'))
    expect(texts(log.entries)).toEqual(['mine', 'later'])
  })

  it('marks what could not be sent', () => {
    const log = new MessageLog('ada')
    const entry = log.write('mine', 'Ada', 'k', new Date(0))
    log.fail(entry)
    expect(entry.delivery).toBe('failed')
  })

  it('starts anew after a gap, and says so once', () => {
    const log = new MessageLog('ada')
    log.take(received(8, 'before'))
    log.interrupt('gap')
    log.interrupt('gap')
    log.take(received(2, 'second'))
    log.take(received(1, 'first'))
    expect(texts(log.entries)).toEqual(['before', 'gap', 'first', 'second'])
  })

  it('lets the oldest go when there are too many', () => {
    const log = new MessageLog('ada')
    for (let offset = 1; offset <= 510; offset++) log.take(received(offset, String(offset)))
    expect(log.entries).toHaveLength(500)
    expect(log.entries[0]?.text).toBe('11')
  })

  it('shows as text what did not come from the page', () => {
    const log = new MessageLog('ada')
    const data = [
      'plain',
      7,
      null,
      { any: 'thing' },
      { text: 5 },
      { big: 1n },
      Uint8Array.of(1, 2),
      { text: 'ours', name: ' ' },
    ]
    for (const [index, value] of data.entries()) log.take(received(index + 1, value))
    expect(texts(log.entries)).toEqual([
      'plain',
      '7',
      'null',
      '{"any":"thing"}',
      '{"text":5}',
      '(data that cannot be shown as text)',
      '(2 bytes)',
      'ours',
    ])
  })
})
