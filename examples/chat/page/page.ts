import { Chat } from './chat.ts'
import { Composer } from './composer.ts'
import { ConnectionBanner } from './connection-banner.ts'
import { found, setText } from './element.ts'
import { paintAvatar } from './avatar.ts'
import { MessagesView } from './messages-view.ts'
import { NameDialog } from './name-dialog.ts'
import { PeopleView } from './people-view.ts'
import { randomId } from './random-id.ts'
import { hashOf, roomOfHash, RoomsView } from './rooms-view.ts'
import { Sheet } from './sheet.ts'
import { onIdentityStored, storedIdentity, storeIdentity } from './stored.ts'

const dialog = new NameDialog()
const sheets = [new Sheet('rooms', '(width < 45rem)'), new Sheet('people', '(width < 64rem)')]

let me = storedIdentity()
if (me === undefined) {
  const name = await dialog.ask()
  // Another tab may have been quicker, and is the same user.
  me = { id: storedIdentity()?.id ?? randomId(), name }
  storeIdentity(me)
}

// However much changes within one turn, the page is brought up to date once.
let scheduled = false
const chat = new Chat(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, me, () => {
  if (scheduled) return
  scheduled = true
  queueMicrotask(() => {
    scheduled = false
    update()
  })
})

const composer = new Composer(chat)
const views = [
  new RoomsView(chat),
  new MessagesView(chat),
  new PeopleView(chat),
  new ConnectionBanner(chat),
  composer,
  { update: updateFrame },
]

function update(): void {
  for (const view of views) view.update()
}

/** What belongs to no view: the title, one's own name, how much is unread in all. */
function updateFrame(): void {
  const { current, rooms, me } = chat
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0)
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${current.name} · Greenroom`
  setText(found('room-title', HTMLSpanElement), current.name)
  setText(found('me-name', HTMLSpanElement), me.name)
  paintAvatar(found('me-avatar', HTMLSpanElement), me.id, me.name)
  const badge = found('show-rooms-unread', HTMLSpanElement)
  const elsewhere = unread - current.unread
  badge.hidden = elsewhere === 0
  found('show-rooms', HTMLButtonElement).setAttribute(
    'aria-label',
    elsewhere > 0 ? `Rooms, ${elsewhere} unread` : 'Rooms',
  )
}

function followAddress(): void {
  const name = roomOfHash(location.hash)
  chat.open(name === '' ? 'lobby' : name)
  // Whatever the address said: it says where we are.
  history.replaceState(null, '', hashOf(chat.current.name))
  for (const sheet of sheets) sheet.close()
  // On a phone the keyboard would cover what one came to read.
  if (matchMedia('(pointer: fine)').matches) composer.focus()
}

addEventListener('hashchange', followAddress)
document.addEventListener('visibilitychange', () => chat.read())
addEventListener('pagehide', ({ persisted }) => {
  // A page that the browser only puts by comes back, and its connection with it.
  if (!persisted) chat.client.close()
})
onIdentityStored(({ id, name }) => {
  if (id === chat.me.id) chat.rename(name)
})
found('rename', HTMLButtonElement).addEventListener('click', () => {
  void dialog.ask(chat.me.name).then((name) => chat.rename(name))
})
found('skip', HTMLAnchorElement).addEventListener('click', (event) => {
  event.preventDefault()
  composer.focus()
})

followAddress()
update()
