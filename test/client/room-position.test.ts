import { describe, expect, it } from 'vitest'
import { RoomPosition } from '../../src/client/room-position.ts'

const at = (offset: number, epoch = 'e1') => ({ epoch, offset })

function positionAt(offset: number): RoomPosition {
  const position = new RoomPosition()
  position.reset(at(offset))
  return position
}

describe('a position in a room', () => {
  it('is nowhere before it has been told', () => {
    const position = new RoomPosition()
    expect(position.since).toBeUndefined()
    expect(position.take(at(1))).toBe('gap')
    expect(position.skip(at(1))).toBe('gap')
  })

  it('takes each message once, and none that does not follow', () => {
    const position = positionAt(3)
    expect([4, 4, 3, 5, 7, 6, 7].map((offset) => position.take(at(offset)))).toEqual([
      'next',
      'seen',
      'seen',
      'next',
      'gap',
      'next',
      'next',
    ])
    expect(position.since).toEqual(at(7))
  })

  it('takes a message of another epoch, or without an offset, for a gap', () => {
    const position = positionAt(3)
    expect(position.take(at(4, 'e2'))).toBe('gap')
    expect(position.take({ epoch: 'e1' } as never)).toBe('gap')
    expect(position.since).toEqual(at(3))
  })

  it('lets pass what survives a skip, in order and once, and misses what is beyond', () => {
    const position = positionAt(3)
    expect(position.skip(at(9))).toBe('next')
    expect([5, 4, 5, 9, 9, 11, 10].map((offset) => position.take(at(offset)))).toEqual([
      'next',
      'seen',
      'seen',
      'next',
      'seen',
      'gap',
      'next',
    ])
  })

  it('asks from what was shown: what survives a skip may be lost with the connection', () => {
    const position = positionAt(3)
    position.skip(at(9))
    expect(position.since).toEqual(at(3))
    position.take(at(6))
    expect(position.since).toEqual(at(6))
    position.take(at(10))
    expect(position.since).toEqual(at(10))
  })

  it('passes over a skip that has been accounted for, and misses something at one of another log', () => {
    const position = positionAt(9)
    expect(position.skip(at(9))).toBe('seen')
    expect(position.skip(at(12, 'e2'))).toBe('gap')
    expect(position.take(at(10))).toBe('next')
  })

  it('gives what a replay brings once, and goes on from where the answer says', () => {
    const position = positionAt(3)
    position.take(at(4))
    expect([3, 4, 5, 6].map((offset) => position.replay(at(offset)))).toEqual([false, false, true, true])
    position.reset(at(6))
    expect([6, 7].map((offset) => position.take(at(offset)))).toEqual(['seen', 'next'])
    position.reset(at(0, 'e2'))
    expect([at(8), at(1, 'e2')].map((place) => position.take(place))).toEqual(['gap', 'next'])
  })
})
