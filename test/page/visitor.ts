import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'

/** Somebody before a browser, in one tab of it. */
export class Visitor {
  readonly page: Page
  readonly room: string

  private constructor(page: Page, room: string) {
    this.page = page
    this.room = room
  }

  /** Opens the page in a browser of one's own, picks a name if it is asked for, and waits for the connection. */
  static async arrive(
    browser: Browser,
    { url, name, room, ...options }: BrowserContextOptions & { url: string; name?: string; room: string },
  ): Promise<Visitor> {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options })
    context.setDefaultTimeout(15_000)
    const page = await context.newPage()
    await page.goto(`${url}/#${encodeURIComponent(room)}`)
    if (name !== undefined) {
      await page.getByLabel('Your name', { exact: true }).fill(name)
      await page.getByRole('button', { name: 'Continue' }).click()
    }
    const visitor = new Visitor(page, room)
    await visitor.isConnected()
    return visitor
  }

  /** The same person in another tab of the same browser. */
  async tab(): Promise<Visitor> {
    const page = await this.context.newPage()
    await page.goto(this.page.url())
    const visitor = new Visitor(page, this.room)
    await visitor.isConnected()
    return visitor
  }

  get context(): BrowserContext {
    return this.page.context()
  }

  get field(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to / })
  }

  get log(): Locator {
    return this.page.getByRole('log')
  }

  get banner(): Locator {
    return this.page.getByRole('region', { name: 'Connection' })
  }

  /** The names of those who are here, in the order in which they are shown. */
  get people(): Locator {
    return this.page.getByRole('complementary', { name: 'People' }).getByRole('listitem')
  }

  /** A message in the log. */
  message(text: string): Locator {
    return this.log.getByRole('listitem').filter({ has: this.page.getByText(text, { exact: true }) })
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text)
    await this.field.press('Enter')
  }

  /** Waits for a message to be shown, as one that the server has taken. */
  async reads(text: string): Promise<void> {
    await this.message(text).locator('time:visible').waitFor()
  }

  /** Waits for a text anywhere on the page. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  async isConnected(): Promise<void> {
    await this.page.getByRole('status').getByText('Connected').waitFor()
    // Joined: one is oneself among the people, though they may be out of sight.
    await this.page.locator('#people-list > li', { hasText: 'you' }).waitFor({ state: 'attached' })
  }

  /** Waits until just so many people are here. */
  async meets(count: number): Promise<void> {
    await this.people.nth(count - 1).waitFor()
    await this.people.nth(count).waitFor({ state: 'detached' })
  }

  async leave(): Promise<void> {
    await this.context.close()
  }
}
