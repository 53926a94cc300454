/** How a server under test is spoken to, as text: the same work said in each one's own words. */
export interface Dialect {
  /** The target of the upgrade request. */
  readonly path: string
  /** Whether the server says something before it is spoken to. */
  readonly speaksFirst: boolean
  /** What brings a connection into a room: each is sent once the one before was answered by a frame. */
  opening(room: string): readonly string[]
  /** Says something to a room. */
  publish(room: string, data: string): string
  /** Says something to a room and asks for an acknowledgement. */
  request(room: string, data: string, id: number): string
  /** How far the last character of `data` stands from the end of a delivered message, in bytes. */
  readonly dataTailBytes: number
}

const publish = (room: string, data: string): string => JSON.stringify({ type: 'message', room, data })
const request = (room: string, data: string, id: number): string => JSON.stringify({ type: 'message', room, data, id })
const join = (room: string): string => JSON.stringify({ type: 'join', room })

/** The servers under test, by name. The first is the one that the others are compared with. */
export const dialects = {
  greenroom: {
    path: '/ws',
    speaksFirst: true,
    opening: (room) => [join(room)],
    publish,
    request,
    dataTailBytes: '"}'.length + 1,
  },
  ws: {
    path: '/',
    speaksFirst: false,
    opening: (room) => [join(room)],
    publish,
    request,
    dataTailBytes: '"}'.length + 1,
  },
  // The first digit is Engine.IO's packet type, the second Socket.IO's, then comes the id of the acknowledgement.
  'socket-io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    speaksFirst: true,
    opening: (room) => ['40', `42${JSON.stringify(['join', room])}`],
    publish: (room, data) => `42${JSON.stringify(['message', { room, data }])}`,
    request: (room, data, id) => `42${id}${JSON.stringify(['message', { room, data }])}`,
    dataTailBytes: '"}]'.length + 1,
  },
} as const satisfies Record<string, Dialect>

/** The name of a server under test. */
export type ServerName = keyof typeof dialects

/** All servers under test. */
export const serverNames = Object.keys(dialects) as ServerName[]
