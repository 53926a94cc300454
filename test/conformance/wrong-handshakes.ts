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
  {
    does: 'takes any version',
    rule: 'UPGRADE-6',
    alter: {
      request: (head: string) => head.replace(/Sec-WebSocket-Version: .*\r\n/i, 'Sec-WebSocket-Version: 13\r\n'),
    },
  },
] as const

const closeFrame = 0x88

/** Servers that are wrong below messages. */
export const wrongSockets = [
  {
    does: 'closes for every breach of WebSocket with 1000',
    rule: 'FRAME-6',
    alter: {
      later: (chunk: Buffer) => {
        if (chunk[0] === closeFrame && (chunk[1] ?? 0) >= 2) chunk.writeUInt16BE(1000, 2)
        return chunk
      },
    },
  },
  { does: 'waits for the answer to a close frame for ever', rule: 'CLOSE-4', alter: { staysOpen: true } },
] as const
