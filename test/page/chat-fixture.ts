import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { ChatServer } from './chat-server.ts'
import { launchChromium } from './chromium.ts'
import { Visitor } from './visitor.ts'

const artifacts = fileURLToPath(new URL('../artifacts/', import.meta.url))

/** Takes a picture for people to look at, of the page when all that moves has come to rest. */
export async function picture({ page }: { readonly page: Page }, name: string): Promise<void> {
  await page.screenshot({ path: `${artifacts}${name}.png`, animations: 'disabled' })
}

/** A chat server and a browser, for all tests of the `describe` that this is called in. */
export function chatFixture(): ChatFixture {
  const fixture = new ChatFixture()
  beforeAll(() => fixture.open())
  afterAll(() => fixture.close())
  return fixture
}

class ChatFixture {
  #browser: Browser | undefined
  #server: ChatServer | undefined
  #lastRoom = 0

  get browser(): Browser {
    if (this.#browser === undefined) throw new Error('The browser has not started.')
    return this.#browser
  }

  get server(): ChatServer {
    if (this.#server === undefined) throw new Error('The server has not started.')
    return this.#server
  }

  async open(): Promise<void> {
    await mkdir(artifacts, { recursive: true })
    this.#server = await ChatServer.start()
    this.#browser = await launchChromium()
  }

  /** Ends both, and sees that the server had nothing to complain of. */
  async close(): Promise<void> {
    await this.#browser?.close()
    await this.#server?.stop()
    expect(this.#server?.complaints).toBe('')
  }

  /** People in a room that nobody else uses, until the end of the test. */
  async meet(names: readonly string[], options: BrowserContextOptions = {}): Promise<Visitor[]> {
    const room = `stage ${++this.#lastRoom}`
    const visitors: Visitor[] = []
    for (const name of names) {
      const visitor = await Visitor.arrive(this.browser, { url: this.server.url, name, room, ...options })
      onTestFinished(() => visitor.leave())
      visitors.push(visitor)
    }
    return visitors
  }

  async pair(options: BrowserContextOptions = {}): Promise<[Visitor, Visitor]> {
    return (await this.meet(['Ada', 'Bob'], options)) as [Visitor, Visitor]
  }
}
