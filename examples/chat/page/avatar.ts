import { element } from './element.ts'
import { initialsOf } from './names.ts'

/** A disc with somebody's initials, in a colour of their own. Their name stands beside it, so it is for the eye only. */
export function avatar(user: string, name: string): HTMLElement {
  const disc = element('span', { class: 'avatar', attributes: { 'aria-hidden': 'true' } })
  paintAvatar(disc, user, name)
  return disc
}

/** Gives an avatar its initials and colour. */
export function paintAvatar(disc: HTMLElement, user: string, name: string): void {
  const initials = initialsOf(name)
  if (disc.textContent !== initials) disc.textContent = initials
  disc.style.setProperty('--hue', String(hueOf(user)))
}

/** The colour goes by the id, which stays when the name is changed. */
function hueOf(user: string): number {
  // FNV-1a: ids that are much alike get colours that are not.
  let hash = 0x811c9dc5
  for (const character of user) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  // Twelve hues that are far enough from each other to be told apart.
  return ((hash >>> 8) % 12) * 30 + 15
}
