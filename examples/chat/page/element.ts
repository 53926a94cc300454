interface Content {
  readonly class?: string
  /** What people wrote gets into the page as text, and in no other way. */
  readonly text?: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** Makes an element. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { class: classes, text, attributes = {} }: Content = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  if (classes !== undefined) made.className = classes
  if (text !== undefined) made.textContent = text
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.append(...children)
  return made
}

/** An icon of those that stand in index.html. */
export function icon(name: string): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(namespace, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(namespace, 'use')
  use.setAttribute('href', `#icon-${name}`)
  svg.append(use)
  return svg
}

/**
 * Finds an element of index.html.
 *
 * @throws TypeError when it is not there
 */
export function found<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const element = document.querySelector(`#${id}`)
  if (!(element instanceof kind)) throw new TypeError(`index.html has no ${kind.name} #${id}.`)
  return element
}

/** Makes these the children of an element, in this order. What is in its place already is not touched. */
export function arrange(parent: Element, children: readonly Element[]): void {
  for (const [index, child] of children.entries()) {
    const present = parent.children[index]
    if (present !== child) parent.insertBefore(child, present ?? null)
  }
  while (parent.children.length > children.length) parent.lastElementChild?.remove()
}

/** Sets a text, unless it is the one that stands there: screen readers read what is set. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}
