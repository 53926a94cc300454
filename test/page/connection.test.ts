import { describe, expect, it, onTestFinished } from 'vitest'
import { faintTexts } from './legibility.ts'
import { chatFixture, picture } from './chat-fixture.ts'
import { chromiumIsHere } from './chromium.ts'

describe.skipIf(!chromiumIsHere())("chat page's connection", () => {
  const chat = chatFixture()

  it('is offline with its device, and misses nothing', async () => {
    const [ada, bob] = await chat.pair()
    await ada.say('Before')
    await bob.reads('Before')
    await bob.context.setOffline(true)
    await bob.page.getByRole('status').getByText('Offline').waitFor()
    await ada.say('Meanwhile')
    await ada.reads('Meanwhile')
    await bob.say('From the tunnel')
    await bob.message('From the tunnel').getByText('Waiting to be sent').waitFor()
    await bob.context.setOffline(false)
    await bob.isConnected()
    await bob.reads('Meanwhile')
    await ada.reads('From the tunnel')
    expect(await bob.log.locator('.bubble').allInnerTexts()).toEqual(['Before', 'Meanwhile', 'From the tunnel'])
    expect(await bob.page.getByText('may be missing').count()).toBe(0)
    await ada.meets(2)
  })

  it('comes back by itself when the server does, and sends what was written meanwhile', async () => {
    const [ada, bob] = await chat.pair({ deviceScaleFactor: 2 })
    await ada.say('The server is about to go for a moment. Keep this tab open.')
    await bob.reads('The server is about to go for a moment. Keep this tab open.')
    await bob.say('All right, I will stay where I am.')
    await ada.reads('All right, I will stay where I am.')
    expect(await chat.server.stop()).toBe(0)
    for (const visitor of [ada, bob]) {
      await visitor.page.getByRole('status').getByText('Reconnecting').waitFor()
      await visitor.banner.getByText(/Connection lost\. Reconnecting in \d+ s/).waitFor()
    }
    await ada.say('This one was written while it was away.')
    await ada.message('This one was written while it was away.').getByText('Waiting to be sent').waitFor()
    await ada.banner.getByText(/Reconnecting in [2-9] s/).waitFor()
    await picture(ada, 'reconnecting')
    await ada.page.emulateMedia({ colorScheme: 'dark' })
    await picture(ada, 'reconnecting-dark')
    expect(await faintTexts(ada.page)).toEqual([])
    await ada.page.emulateMedia({ colorScheme: 'light' })

    await chat.server.start()
    for (const visitor of [ada, bob]) {
      await visitor.isConnected()
      await visitor.banner.waitFor({ state: 'hidden' })
      await visitor.reads('This one was written while it was away.')
      await visitor.sees('Some messages may be missing')
      await visitor.meets(2)
    }
    await bob.say('There you are.')
    await ada.reads('There you are.')
    await picture(ada, 'back-again')
  })

  it('says when a message could not be sent, and sends it again', async () => {
    const [ada, bob] = await chat.pair()
    await ada.page.clock.install()
    await ada.page.reload()
    await ada.isConnected()
    await chat.server.stop()
    await ada.page.getByRole('status').getByText('Reconnecting').waitFor()
    await ada.say('Anybody?')
    await ada.message('Anybody?').getByText('Waiting to be sent').waitFor()
    await ada.page.clock.fastForward(301_000)
    const retry = ada.message('Anybody?').getByRole('button', { name: 'Retry' })
    await retry.waitFor()

    // While her clock stands still, she comes back only because she asks for it.
    await ada.page.clock.pauseAt(Date.now() + 600_000)
    await chat.server.start()
    await ada.banner.getByRole('button', { name: 'Try now' }).click()
    await ada.isConnected()
    await ada.page.clock.resume()
    await retry.click()
    await ada.reads('Anybody?')
    await bob.reads('Anybody?')
  })

  it('says so when the server will not have it', async () => {
    const context = await chat.browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.routeWebSocket(/\/ws$/, (socket) => socket.close({ code: 4003, reason: 'forbidden' }))
    await page.goto(chat.server.url)
    await page.getByLabel('Your name', { exact: true }).fill('Ada')
    await page.keyboard.press('Enter')
    await page.getByText('The server closed the connection (4003: forbidden).').waitFor()
    await page.getByRole('status').getByText('Closed').waitFor()
    await page.getByRole('button', { name: 'Reload' }).waitFor()
  })
})
