import { describe, expect, it } from 'vitest'
import { cleanName, initialsOf, typingLine } from '../../examples/chat/page/names.ts'

describe('names', () => {
  it.each([
    ['  Ada   L. ', 'Ada L.'],
    ['A\u202eda', 'A da'],
    ['a\nb\u0000c', 'a b c'],
    ['', undefined],
    ['\u2066 ', undefined],
    [7, undefined],
    ['👩‍🚀 Ada', '👩‍🚀 Ada'],
    ['x'.repeat(60), 'x'.repeat(40)],
  ])('shows %j as %j', (name, shown) => {
    expect(cleanName(name)).toBe(shown)
  })

  it.each([
    ['ada', 'A'],
    ['Ada Bea Carol', 'AC'],
    ['👩‍🚀 ada', '👩‍🚀A'],
    ['guest-12ab', 'G'],
  ])('abbreviates %s to %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials)
  })

  it('says who is typing', () => {
    expect(typingLine([])).toBe('')
    expect(typingLine(['Ada'])).toBe('Ada is typing…')
    expect(typingLine(['Ada', 'Bob'])).toBe('Ada and Bob are typing…')
    expect(typingLine(['Ada', 'Bob', 'Carol'])).toBe('Ada, Bob, and Carol are typing…')
    expect(typingLine(['Ada', 'Bob', 'Carol', 'Dan'])).toBe('Several people are typing…')
  })
})
