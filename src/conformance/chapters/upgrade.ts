import { subprotocol } from '../../protocol/index.ts'
import type { Check } from '../check.ts'
import { Break, expectFit, Inapplicable } from '../expectation.ts'
import { leave, type Upgrade } from '../raw-socket.ts'
import { welcomed, type Site } from '../site.ts'

/** The subprotocol that is chosen of those offered, none when none is. */
async function chosen(site: Site, offered?: string, path?: string): Promise<string | undefined> {
  const headers = offered === undefined ? {} : { 'Sec-WebSocket-Protocol': offered }
  const upgrade = await site.upgrade(headers, path)
  leave(upgrade)
  const { status, headers: answer } = upgrade
  if (path === undefined && status !== 101) throw new Break('the upgrade to be accepted with 101', `status ${status}`)
  return status === 101 ? answer['sec-websocket-protocol'] : undefined
}

/** The token, where it can stand in an Authorization header (RFC 6750 §2.1). */
function bearerToken({ facts }: Site): string {
  const token = String(facts.ada.token)
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new Inapplicable('the token cannot stand in a header')
  return token
}

export const upgradeChecks: readonly Check[] = [
  {
    rule: 'UPGRADE-1',
    says: 'the endpoint is at its path whatever the query; no other path, a slash behind it included, is this endpoint',
    run: async (site) => {
      for (const path of [`${site.path}/`, `${site.path}x`, `/${site.path}`, site.path.toUpperCase()]) {
        if (path === site.path) continue
        const protocol = await chosen(site, subprotocol, path)
        // Somebody else may serve WebSockets there.
        if (protocol === subprotocol) throw new Break(`no ${subprotocol} at the path ${path}`, protocol)
      }
      await site.open('with a query', { polite: false, token: 'x' })
    },
  },
  {
    rule: 'UPGRADE-2',
    says: `the server chooses ${subprotocol} among the subprotocols offered, no other, and none when none was offered`,
    run: async (site) => {
      const what = (offered: string): string => `the subprotocol chosen of ${offered}`
      expectFit(await chosen(site, `chat, ${subprotocol}, greenroom.v2`), subprotocol, what('three'))
      expectFit(await chosen(site), undefined, what('none'))
      expectFit(await chosen(site, 'greenroom.v2, GREENROOM.V1'), undefined, what('two others'))
    },
  },
  {
    rule: 'UPGRADE-3',
    says: 'a token is taken from the Authorization header, from the query and from hello',
    needs: ['token'],
    run: async (site) => {
      const { adaUser: user } = site.facts
      const token = bearerToken(site)
      const ways = [{ headers: { authorization: `Bearer ${token}` } }, { token }]
      for (const way of ways) {
        const client = await site.open('ada', { ...way, polite: false })
        await client.hears({ type: 'welcome', user })
      }
      expectFit(await welcomed(await site.open('ada'), { token }), { user }, 'the welcome after hello')
    },
  },
  {
    rule: 'UPGRADE-3',
    says: 'the token of hello counts before that of the header, and that before the one in the query',
    needs: ['token'],
    run: async (site) => {
      const { adaUser: user, lesserToken, has } = site.facts
      if (!has.has('two tokens') && !has.has('refusal')) throw new Inapplicable('needs --other-token')
      const token = bearerToken(site)
      const headers = { authorization: `Bearer ${token}` }
      const byHeader = await site.open('ada', { polite: false, headers, token: lesserToken })
      await byHeader.hears({ type: 'welcome', user })
      const wrong = { authorization: `Bearer ${lesserToken}` }
      const byHello = await site.open('ada', { headers: wrong, token: lesserToken })
      expectFit(await welcomed(byHello, { token }), { user }, 'the welcome after hello')
    },
  },
  {
    rule: 'UPGRADE-4',
    says: 'no extension is negotiated',
    run: async (site) => {
      const upgrade = await site.upgrade({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })
      leave(upgrade)
      expectFit(upgrade.headers['sec-websocket-extensions'], undefined, 'the extensions of the answer')
    },
  },
  {
    rule: 'UPGRADE-6',
    says: 'another version than 13 gets 426 and the version that there is; a key that is none, and subprotocols that are none, 4xx',
    run: async (site) => {
      const refused = async (headers: Readonly<Record<string, string>>, what: string): Promise<Upgrade> => {
        const upgrade = await site.upgrade(headers)
        leave(upgrade)
        if (upgrade.status < 400 || upgrade.status > 499) throw new Break(`4xx for ${what}`, `status ${upgrade.status}`)
        return upgrade
      }
      const { status, headers } = await refused({ 'Sec-WebSocket-Version': '8' }, 'version 8')
      expectFit({ status, version: headers['sec-websocket-version'] }, { status: 426, version: '13' }, 'version 8')
      await refused({ 'Sec-WebSocket-Key': 'short' }, 'a key of another length')
      await refused({ 'Sec-WebSocket-Protocol': `${subprotocol}, ,` }, 'an empty subprotocol')
    },
  },
]
