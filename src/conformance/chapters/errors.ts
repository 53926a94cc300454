import type { Check } from '../check.ts'
import { expectFit, someText } from '../expectation.ts'
import { tooDeep } from '../refused.ts'

export const errorChecks: readonly Check[] = [
  {
    rule: 'ERROR-1',
    says: 'an error has its code, a text, the id of the request, and the room when that could be the name of one',
    run: async (site) => {
      const [room, elsewhere] = [site.room(), site.room()]
      const ada = await site.member('ada', room)
      const provocations: readonly (readonly [string, object, string | undefined])[] = [
        ['bad-message', { type: 'typing', room, typing: 1 }, room],
        ['unknown-type', { type: 'conformance.unknown' }, undefined],
        ['bad-room-name', { type: 'join', room: 'a\nb' }, undefined],
        ['not-a-member', { type: 'history', room: elsewhere }, elsewhere],
        ['bad-data', { type: 'message', room, data: JSON.parse(tooDeep) as unknown }, room],
        ['bad-meta', { type: 'message', room, data: 1, meta: { values: ['regexp'] } }, room],
      ]
      for (const [code, request, named] of provocations) {
        const error = await ada.ask(request as { type: string })
        const expected = { type: 'error', code, message: someText, room: named }
        expectFit(error, expected, `the reply to ${JSON.stringify(request).slice(0, 200)}`)
      }
      expectFit(await ada.provoke('{'), { code: 'bad-json', message: someText, id: undefined }, 'the reply to {')
    },
  },
]
