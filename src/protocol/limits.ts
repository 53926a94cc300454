/** Bounds that belong to the protocol itself rather than to one server's configuration. */
export const protocolLimits = {
  /** A room's name, in bytes of UTF-8. */
  roomNameBytes: 255,
  /** A request id that is text, in characters. */
  idLength: 64,
  /** A log's identity, in characters. */
  epochLength: 64,
  /** What a message is about, in characters. */
  keyLength: 64,
  /** Nesting of `data`, `meta` and presence state. */
  dataDepth: 32,
  /** Values in one `data`: containers, members and elements together. */
  dataNodes: 10_000,
  /** superjson annotations in one `meta`. */
  metaEntries: 1_000,
} as const

/** The subprotocol's name, offered and chosen in the opening handshake (RFC 6455 §1.9). */
export const subprotocol = 'greenroom.v1'
