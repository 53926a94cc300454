import type { ByteClient } from './byte-client.ts'

/** Brings bytes to the server. */
type Deliver = (client: ByteClient, bytes: Uint8Array) => Promise<void>

const edgeBytes = 64
const middlePieces = 500

/** A byte at a time; of what is long, only its beginning and its end, where frames have their edges. */
const byteByByte: Deliver = (client, bytes) =>
  client.trickle(bytes, (at, left) =>
    at < edgeBytes || left <= edgeBytes ? 1 : Math.min(left - edgeBytes, Math.ceil(bytes.length / middlePieces)),
  )

const inOnePiece: Deliver = async (client, bytes) => client.write(bytes)

/** The ways in which the same bytes are delivered, for `describe.each`; what is answered must not depend on it. */
export const deliveries: readonly (readonly [name: string, deliver: Deliver])[] = [
  ['in one piece', inOnePiece],
  ['byte by byte', byteByByte],
]
