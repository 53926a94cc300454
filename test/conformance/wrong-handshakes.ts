/** Servers whose opening handshake is wrong, by what is altered of it. */
export const wrongHandshakes = [
  {
    does: 'serves every path',
    rule: 'UPGRADE-1',
    alter: { request: (head: string) => head.replace(/^GET \S+?(\?\S*)? /, 'GET /ws$1 ') },
  },
  {
    does: 'chooses no subprotocol',
    rule: 'UPGRADE-2',
    alter: { answer: (head: string) => head.replace(/Sec-WebSocket-Protocol: .*\r\n/i, '') },
  },
  {
    does: 'chooses the subprotocol that was not offered',
    rule: 'UPGRADE-2',
    alter: { request: (head: string) => head.replace(/(Sec-WebSocket-Protocol: .*)\r\n/i, '$1, greenroom.v1\r\n') },
  },
  {
    does: 'does not look at the query',
    rule: 'UPGRADE-3',
    alter: { request: (head: string) => head.replace(/^GET (\S+?)\?\S* /, 'GET $1 ') },
  },
  {
    does: 'compresses',
    rule: 'UPGRADE-4',
    alter: {
      answer: (head: string) =>
        head.replace(/^(HTTP\/1.1 101 .*\r\n)/, '$1Sec-WebSocket-Extensions: permessage-deflate\r\n'),
    },
  },
] as const
