import { describe, expect, it, onTestFinished } from 'vitest'
import { chatFixture } from './chat-fixture.ts'
import { chromiumIsHere } from './chromium.ts'
import { Visitor } from './visitor.ts'

describe.skipIf(!chromiumIsHere())('chat page', () => {
  const chat = chatFixture()

  it('shows messages to both sides, with sender and time', async () => {
    const [ada, bob] = await chat.pair()
    await ada.say('Hello!')
    await bob.reads('Hello!')
    await bob.say('Hello, Ada.')
    await ada.reads('Hello, Ada.')
    await ada.reads('Hello!')
    expect(await bob.message('Hello!').textContent()).toMatch(/^AAdaHello!\d\d:\d\d/)
    expect(await ada.message('Hello!').textContent()).toMatch(/^AYouHello!Sent\d\d:\d\d/)
    const taken = await bob.message('Hello!').locator('time').getAttribute('datetime')
    expect(Math.abs(Date.parse(taken ?? '') - Date.now())).toBeLessThan(60_000)
  })

  it('shows markup as text', async () => {
    const [ada, bob] = await chat.pair()
    const markup = '<img src=x onerror="document.title = 1"><b>bold</b>'
    await ada.say(markup)
    await bob.reads(markup)
    expect(await bob.log.locator('b, img').count()).toBe(0)
  })

  it('shows a person with two tabs once', async () => {
    const [ada, bob] = await chat.pair()
    const second = await ada.tab()
    await second.say('From the second tab')
    await ada.reads('From the second tab')
    expect(await ada.message('From the second tab').getAttribute('class')).toContain('own')
    for (const visitor of [ada, bob, second]) await visitor.meets(2)
    expect(await bob.people.allInnerTexts()).toEqual([
      expect.stringMatching(/Bob\s+you/),
      expect.stringContaining('Ada'),
    ])
    await ada.page.close()
    await bob.reads('From the second tab')
    await bob.meets(2)
    await second.page.close()
    await bob.meets(1)
  })

  it('tells people of the same name apart', async () => {
    const [one] = await chat.meet(['Ada', 'Ada'])
    await one?.meets(2)
    expect(await one?.people.last().innerText()).toMatch(/Ada\s+[0-9a-f]{4}/)
  })

  it('tells a new name to everybody, and to the other tabs', async () => {
    const [ada, bob] = await chat.pair()
    const second = await ada.tab()
    await ada.page.getByRole('button', { name: 'Rename yourself' }).click()
    await ada.page.getByLabel('Your name', { exact: true }).fill('Adele')
    await ada.page.keyboard.press('Enter')
    await bob.people.getByText('Adele').waitFor()
    await second.page.locator('#me-name').getByText('Adele').waitFor()
    await bob.meets(2)
  })

  it('shows who is typing until they send, or stop', async () => {
    const [ada, bob] = await chat.pair()
    const second = await ada.tab()
    await ada.field.pressSequentially('Hel')
    await bob.sees('Ada is typing…')
    await ada.field.press('Enter')
    await bob.reads('Hel')
    await bob.page.getByText('Ada is typing…').waitFor({ state: 'detached' })
    await ada.field.pressSequentially('lo')
    await bob.sees('Ada is typing…')
    // Without another key the indicator ends by itself.
    await bob.page.getByText('Ada is typing…').waitFor({ state: 'detached' })
    expect(await second.page.locator('#typing').textContent()).toBe('')
  })

  it('shows who comes in what was said before', async () => {
    const [ada] = (await chat.meet(['Ada'])) as [Visitor]
    for (const text of ['one', 'two', 'three']) await ada.say(text)
    await ada.reads('three')
    const bob = await Visitor.arrive(chat.browser, { url: chat.server.url, name: 'Bob', room: ada.room })
    onTestFinished(() => bob.leave())
    await bob.reads('three')
    expect(await bob.log.locator('.bubble').allInnerTexts()).toEqual(['one', 'two', 'three'])
  })

  it('counts what is unread in other rooms', async () => {
    const [ada, bob] = await chat.pair()
    await bob.page.getByRole('link', { name: 'random' }).click()
    await bob.page.getByRole('textbox', { name: 'Message to random' }).waitFor()
    await ada.say('Where are you?')
    await ada.say('Bob?')
    await bob.page.getByRole('link', { name: `${ada.room} 2 unread` }).click()
    await bob.reads('Bob?')
    await bob.page.getByRole('link', { name: ada.room, exact: true }).waitFor()
    expect(await bob.page.title()).toBe(`${ada.room} · Greenroom`)
  })

  it('has rooms of any name', async () => {
    const [ada, bob] = await chat.pair()
    for (const name of ['__proto__', 'constructor', '100% / später?', '部屋']) {
      for (const { page } of [ada, bob]) {
        await page.getByLabel('Add a room').fill(name)
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { level: 1, name }).waitFor()
      }
      await ada.say(`Is this ${name}?`)
      await bob.reads(`Is this ${name}?`)
    }
    await bob.page.reload()
    await bob.page.getByRole('heading', { level: 1, name: '部屋' }).waitFor()
    await bob.page.getByRole('link', { name: '__proto__' }).click()
    await bob.reads('Is this __proto__?')
    await bob.page.getByRole('button', { name: 'Leave __proto__' }).click()
    await bob.page.getByRole('heading', { level: 1, name: 'lobby' }).waitFor()
    expect(await bob.page.getByRole('link', { name: '__proto__' }).count()).toBe(0)
    await ada.page.getByRole('link', { name: '__proto__' }).click()
    await ada.meets(1)
  })

  it('says why a name is no room', async () => {
    const [ada] = (await chat.meet(['Ada'])) as [Visitor]
    await ada.page.getByLabel('Add a room').fill('x'.repeat(256))
    await ada.page.keyboard.press('Enter')
    await ada.page.getByRole('alert').getByText('too long').waitFor()
  })
})
