/** The longest name that is shown, in characters. */
const nameLength = 40

// Control characters, lone surrogates, line separators, and what turns the direction of the text around it.
const unfit = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Makes what somebody calls themselves fit to be shown; undefined when nothing of it is left. */
export function cleanName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const name = value.replace(unfit, ' ').replace(/\s+/g, ' ').trim()
  return name === '' ? undefined : [...name].slice(0, nameLength).join('').trim()
}

/** The first letters of the first and the last word. */
export function initialsOf(name: string): string {
  const words = name.split(' ')
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words
  return ends.map((word) => firstCharacter(word ?? '')).join('')
}

// As people count: an emoji of several code points is one.
function firstCharacter(word: string): string {
  for (const { segment } of new Intl.Segmenter().segment(word)) return segment.toUpperCase()
  return ''
}

/** What tells that people are typing; empty when nobody is. */
export function typingLine(names: readonly string[]): string {
  if (names.length === 0) return ''
  if (names.length > 3) return 'Several people are typing…'
  const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
  return `${list} ${names.length === 1 ? 'is' : 'are'} typing…`
}
