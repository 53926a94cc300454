import type { Page } from 'playwright-core'

/** A text on the page whose colour is too close to the colour behind it. */
export interface FaintText {
  readonly text: string
  readonly contrast: number
}

/** Finds the texts in sight whose contrast is below WCAG's 4.5 (level AA). */
export function faintTexts(page: Page): Promise<FaintText[]> {
  return page.locator('body').evaluate((body) => {
    const { defaultView: view } = body.ownerDocument
    const canvas = body.ownerDocument.createElement('canvas').getContext('2d', { willReadFrequently: true })

    // Paints colours over one another and looks what came of it: that knows every notation there is.
    const paint = (colours: readonly string[]): number[] => {
      canvas.clearRect(0, 0, 1, 1)
      for (const colour of colours) {
        canvas.fillStyle = colour
        canvas.fillRect(0, 0, 1, 1)
      }
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }
    const luminance = (colour: readonly number[]): number => {
      const [red = 0, green = 0, blue = 0] = colour.map((channel) => {
        const part = channel / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    const faint = []
    const walker = body.ownerDocument.createTreeWalker(body, view.NodeFilter.SHOW_TEXT)
    while (walker.nextNode() !== null) {
      const { parentElement: element, textContent } = walker.currentNode
      if (textContent.trim() === '' || !element.checkVisibility({ visibilityProperty: true })) continue
      const grounds = []
      for (let around = element; around !== null; around = around.parentElement) {
        grounds.unshift(view.getComputedStyle(around).backgroundColor)
      }
      const [dark = 0, light = 0] = [
        luminance(paint(grounds)),
        luminance(paint([...grounds, view.getComputedStyle(element).color])),
      ].sort((a, b) => a - b)
      const contrast = (light + 0.05) / (dark + 0.05)
      if (contrast < 4.5) faint.push({ text: textContent.trim(), contrast })
    }
    return faint
  })
}

/** How many pixels of the page lie beyond its right edge. */
export function overflowOf(page: Page): Promise<number> {
  return page.locator('html').evaluate((root) => root.scrollWidth - root.ownerDocument.defaultView.innerWidth)
}

/** The controls on the page that a screen reader would have no name for. */
export function namelessControls(page: Page): Promise<string[]> {
  return page.locator('body').evaluate((body) =>
    [...body.querySelectorAll('input, textarea, select, button, a')]
      .filter((control) => {
        if (!control.checkVisibility()) return false
        const label = control.labels?.[0]?.textContent ?? control.getAttribute('aria-label') ?? ''
        return (label + control.textContent).trim() === ''
      })
      .map((control) => control.outerHTML),
  )
}
