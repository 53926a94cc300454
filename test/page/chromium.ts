import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/**
 * Whether there is a browser to test with. Without one the tests are skipped, loudly.
 *
 * @throws Error on CI, where nothing may be skipped unseen
 */
export function chromiumIsHere(): boolean {
  if (existsSync(executablePath)) return true
  const text = `No browser at ${executablePath}: nothing of the page is tested. Set CHROMIUM to the path of a Chromium.`
  if (process.env['CI'] === 'true') throw new Error(text)
  console.warn(`\n  SKIPPED  ${text}\n`)
  return false
}

/** Starts the browser. Whoever calls this closes it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
