import { describe, expect, it, onTestFinished } from 'vitest'
import { faintTexts, namelessControls, overflowOf } from './legibility.ts'
import { chatFixture, picture } from './chat-fixture.ts'
import { chromiumIsHere } from './chromium.ts'
import { Visitor } from './visitor.ts'

describe.skipIf(!chromiumIsHere())("chat page's appearance", () => {
  const chat = chatFixture()

  it('breaks no rule of its own and logs no error', async () => {
    const context = await chat.browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(chat.server.url)
    await page.getByLabel('Your name', { exact: true }).fill('Ada')
    await page.keyboard.press('Enter')
    await page.getByRole('status').getByText('Connected').waitFor()
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor()
    expect(complaints).toEqual([])
  })

  it('asks for a name, and takes no empty one', async () => {
    const context = await chat.browser.newContext({ deviceScaleFactor: 2, viewport: { width: 1280, height: 800 } })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(chat.server.url)
    const dialog = page.getByRole('dialog', { name: 'Pick a name' })
    await dialog.waitFor()
    await picture({ page }, 'first-visit')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('alert').waitFor()
    for (let times = 0; times < 3; times++) await page.keyboard.press('Escape')
    await dialog.waitFor()
    await page.getByLabel('Your name', { exact: true }).fill('Ada')
    await page.keyboard.press('Enter')
    await page.getByRole('status').getByText('Connected').waitFor()
    await page.reload()
    await page.getByRole('status').getByText('Connected').waitFor()
    expect(await dialog.isVisible()).toBe(false)
    expect(page.url()).toBe(`${chat.server.url}/#lobby`)
  })

  it('can be used by keyboard and read by a screen reader', async () => {
    const [ada, bob] = await chat.pair()
    const { page } = ada
    for (const landmark of ['main', 'navigation', 'complementary'] as const) {
      expect(await page.getByRole(landmark).count()).toBe(1)
    }
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(ada.room)
    expect(await page.getByRole('status').innerText()).toBe('Connected')
    expect(await page.getByRole('link', { name: ada.room }).getAttribute('aria-current')).toBe('page')
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    expect(await namelessControls(page)).toEqual([])
    await page
      .getByRole('log', { name: `Messages in ${ada.room}` })
      .and(page.locator('[aria-live=polite]'))
      .waitFor()
    await bob.say('Read me')
    await ada.reads('Read me')

    const skip = page.getByRole('link', { name: 'Skip to the message field' })
    await skip.focus()
    expect((await skip.boundingBox())?.y).toBeGreaterThanOrEqual(0)
    await page.keyboard.press('Enter')
    await page.keyboard.type('Typed without a mouse')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('in two lines')
    await page.keyboard.press('Enter')
    await bob.reads('Typed without a mouse\nin two lines')
  })

  it('moves nothing for those who do not like it', async () => {
    const [ada] = (await chat.meet(['Ada'], { reducedMotion: 'reduce' })) as [Visitor]
    await ada.say('Still')
    await ada.reads('Still')
    const moving = await ada.page.locator('body').evaluate((body) => body.ownerDocument.getAnimations().length)
    expect(moving).toBe(0)
  })

  it('fits a phone', async () => {
    const [ada, bob] = await chat.pair({
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    })
    await ada.say('Does it fit?')
    await bob.say('A-rather-long-word-that-does-not-end-'.repeat(4))
    await ada.reads('A-rather-long-word-that-does-not-end-'.repeat(4))
    expect(await overflowOf(ada.page)).toBe(0)

    const rooms = ada.page.getByRole('navigation', { name: 'Rooms' })
    expect(await rooms.isVisible()).toBe(false)
    await ada.page.getByRole('button', { name: 'Rooms', exact: true }).tap()
    await rooms.waitFor()
    expect(await overflowOf(ada.page)).toBe(0)
    await rooms.getByRole('link', { name: 'random' }).tap()
    await ada.page.getByRole('heading', { level: 1, name: 'random' }).waitFor()
    await rooms.waitFor({ state: 'hidden' })

    await bob.page.getByRole('button', { name: 'People', exact: true }).tap()
    await bob.meets(2)
    await bob.page.keyboard.press('Escape')
    await bob.people.first().waitFor({ state: 'hidden' })
    const opener = bob.page.getByRole('button', { name: 'People', exact: true })
    await opener.and(bob.page.locator(':focus')).waitFor()
  })

  it('can be shown, by day and by night', async () => {
    const room = 'lobby'
    const arrive = (name: string, id: string, options = {}): Promise<Visitor> => {
      // Chosen rather than random, so that each has a colour of their own in the picture.
      const identity = { name: 'greenroom.chat.identity', value: JSON.stringify({ id, name }) }
      const storageState = { cookies: [], origins: [{ origin: chat.server.url, localStorage: [identity] }] }
      return Visitor.arrive(chat.browser, {
        url: chat.server.url,
        room,
        storageState,
        deviceScaleFactor: 2,
        ...options,
      })
    }
    const ada = await arrive('Ada', 'ada-5')
    const bob = await arrive('Bob', 'bob-4', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true })
    const carol = await arrive('Carol', 'carol')
    const dan = await arrive('Dan', 'dan')
    for (const visitor of [ada, bob, carol, dan]) onTestFinished(() => visitor.leave())
    const said: [Visitor, string][] = [
      [bob, 'Morning! I am on the train, so I will drop out now and then.'],
      [carol, 'No matter. Whatever you miss is here when you come back.'],
      [carol, 'In the same order for everybody.'],
      [ada, 'And what you write in the tunnel?'],
      [bob, 'Waits on my phone, and goes out once I am through.'],
      [ada, 'Then let us plan Thursday. I have two proposals and would like to hear what you think of both.'],
      [ada, 'First: we open the doors at six.'],
      [dan, 'Six is fine with me.'],
    ]
    for (const [who, text] of said) {
      await who.say(text)
      for (const visitor of [ada, bob]) await visitor.reads(text)
    }
    await dan.page.getByRole('link', { name: 'random' }).click()
    await dan.page.getByRole('textbox', { name: 'Message to random' }).waitFor()
    await dan.say('Has anybody seen my keys?')
    await ada.page.getByRole('link', { name: 'random 1 unread' }).waitFor()
    const phone = bob.page
    await carol.field.pressSequentially('Same')
    await bob.sees('Carol is typing…')
    expect(await faintTexts(phone)).toEqual([])
    await picture(bob, 'phone')
    await phone.getByRole('button', { name: 'Rooms, 1 unread' }).tap()
    await phone.getByRole('navigation', { name: 'Rooms' }).waitFor()
    await picture(bob, 'phone-rooms')
    await phone.getByRole('button', { name: 'Close rooms' }).tap()

    await ada.sees('Carol is typing…')
    await ada.field.fill('Carol?')
    for (const colorScheme of ['light', 'dark'] as const) {
      await carol.field.pressSequentially('...')
      await ada.sees('Carol is typing…')
      await ada.page.emulateMedia({ colorScheme })
      await picture(ada, `desktop-${colorScheme}`)
      expect(await faintTexts(ada.page)).toEqual([])
    }
  })
})
