/** A place in a source file, and what stands there instead while a bug is switched in. */
interface Patch {
  readonly file: string
  readonly find: string
  readonly instead: string
}

/** A mistake that somebody could make, and that the simulation has to find. */
export interface Bug {
  readonly name: string
  /** What is wrong with it, for people. */
  readonly says: string
  readonly patches: readonly Patch[]
}

const room = 'src/runtime/room'
const patch = (file: string, find: string, instead: string): Patch => ({ file, find, instead })

export const bugs: readonly Bug[] = [
  {
    name: 'history read before subscribing',
    says: 'a member that comes back hears what is said only from the next turn on; what comes between is missing',
    patches: [
      patch(
        `${room}/joining.ts`,
        '): void {\n  room.listen(session)\n  const { presence',
        '): void {\n  core.environment.clock.setTimeout(() => room.listen(session), 1)\n  const { presence',
      ),
      patch(`${room}/joining.ts`, 'function answerJoin(\n  room', 'function answerJoin(\n  core: Core,\n  room'),
      patch(
        `${room}/joining.ts`,
        'return answerJoin(room, session, outbox, message, undefined)',
        'return answerJoin(core, room, session, outbox, message, undefined)',
      ),
      patch(
        `${room}/joining.ts`,
        '  answerJoin(room, session, outbox, message, merge(',
        '  answerJoin(core, room, session, outbox, message, merge(',
      ),
      patch(
        `${room}/joining.ts`,
        '  answerJoin(room, session, outbox, message, recovery)',
        '  answerJoin(core, room, session, outbox, message, recovery)',
      ),
    ],
  },
  {
    name: 'no hold while reading',
    says: 'what is said while the log is read for somebody is kept for nobody',
    patches: [patch(`${room}/recovery.ts`, 'this.held.push(entry)', 'void entry')],
  },
  {
    name: 'epoch ignored',
    says: 'a place in a log that was lost is taken for one in the log that took its place',
    patches: [
      patch(`${room}/memory-history.ts`, 'position.epoch !== this.epoch || ', ''),
      patch(`${room}/joining.ts`, 'since.epoch === room.epoch ? (result as Recovery)', 'since ? (result as Recovery)'),
    ],
  },
  {
    name: 'no dedup',
    says: 'what was read of the log and what came meanwhile are put together without a look at what stands in both',
    patches: [
      patch(`${room}/recovery.ts`, '    if (entry.offset <= last) continue\n', ''),
      patch(`${room}/recovery.ts`, 'entry.offset !== last + 1 || ', ''),
      patch(
        `${room}/joining.ts`,
        'until: room.delivered, now: core.environment.clock.now() }\n  const read = log.since',
        'until: Infinity, now: core.environment.clock.now() }\n  const read = log.since',
      ),
    ],
  },
  {
    name: 'typing timer not cleared',
    says: 'a further sign of typing does not put off the end that the first one set',
    patches: [patch('machines/typing.ts', "{ target: 'heard', reenter: true }", '{}')],
  },
  {
    name: 'typing never times out',
    says: 'an indicator ends only when somebody ends it',
    patches: [patch('machines/typing.ts', "          after: { silence: { target: '#typing.idle' } },\n", '')],
  },
  {
    name: 'presence not removed',
    says: 'whoever does not come back stays in the list of those who are here',
    patches: [
      patch(
        `${room}/room-presence.ts`,
        'if (persona !== undefined) tell(core, room, room.presence.leave(persona.user, session.id))',
        '',
      ),
    ],
  },
  {
    name: 'outbox unbounded',
    says: 'a reader that does not read is never too much',
    patches: [
      patch(
        'src/runtime/connection/outbox.ts',
        'overflow(): void {\n    if (!this.writable) return',
        'overflow(): void {\n    if (this.writable || true) return',
      ),
    ],
  },
  {
    name: 'retry stored twice',
    says: 'a message that is sent again because its acknowledgement was lost is another message',
    patches: [
      patch(
        `${room}/memory-history.ts`,
        'request === undefined ? undefined : this.#offsetOf(request, at)',
        'undefined as number | undefined',
      ),
    ],
  },
  {
    name: 'old connection not fenced',
    says: 'a session that is taken over keeps the connection that it had',
    patches: [
      patch('src/runtime/session/session.ts', '        former.session = undefined\n        turnAway(former)\n', ''),
    ],
  },
  {
    name: 'close sent twice',
    says: 'a connection that is closing is closed once more by whoever else wants it closed',
    patches: [patch('machines/connection.ts', "        'connection.close': {},\n", '')],
  },
  {
    name: 'heartbeat not stopped',
    says: 'the heartbeat outlives its connection',
    patches: [
      patch(
        'src/runtime/connection/connection.ts',
        '      probe: ({ context }) => {\n        const link = context.link as ConnectionLink\n',
        '      probe: ({ context }) => {\n        const link = context.link as ConnectionLink\n        core.environment.clock.setTimeout(() => link.socket.ping(), heartbeatMs)\n',
      ),
    ],
  },
  {
    name: 'grace ignored',
    says: 'whoever loses the connection is shown as gone at once',
    patches: [
      patch(
        'src/runtime/session/session.ts',
        'Math.min(presenceGraceMs, resumeWindowMs)',
        'Math.min(0, resumeWindowMs)',
      ),
    ],
  },
  {
    name: 'ack before store',
    says: 'a message is acknowledged, and sent to the room, before the disk has it',
    patches: [
      patch(
        `${room}/storing.ts`,
        '  room.underWay++\n  appended.then(',
        '  room.underWay++\n  settle({ appended: { offset: log.offset + room.storing.length, duplicate: false } })\n  room.underWay++\n  appended.then(',
      ),
      patch(
        `${room}/storing.ts`,
        '(result) => settle({ appended: result }),\n    (error: unknown) => settle({ error }),',
        '() => room.settled(),\n    () => room.settled(),',
      ),
    ],
  },
  {
    name: 'half-open not found',
    says: 'a connection that nobody answers on is waited for without end',
    patches: [
      patch(
        'machines/heartbeat.ts',
        "{ guard: 'heardMeanwhile', target: 'waiting' }, { target: 'lost' }]",
        "{ guard: 'heardMeanwhile', target: 'waiting' }, { target: 'waiting' }]",
      ),
    ],
  },
  {
    name: 'who has left goes on hearing',
    says: 'a session that has left a room is in its audience still',
    patches: [
      patch(`${room}/room-record.ts`, '    this.mute(session)\n    this.#members.delete', '    this.#members.delete'),
      patch(
        `${room}/room-record.ts`,
        'membership.index = this.#audience.push(session) - 1',
        'membership.index = this.#audience.includes(session) ? 0 : this.#audience.push(session) - 1',
      ),
    ],
  },
  {
    name: 'states told to nobody',
    says: 'what somebody says of itself is shown to those only who come later',
    patches: [
      patch(
        `${room}/room-presence.ts`,
        'tell(core, room, room.presence.update(persona.user, session.id, state))',
        'room.presence.update(persona.user, session.id, state)',
      ),
    ],
  },
  {
    name: 'bytes overtaken',
    says: 'a binary message comes after what its sender has said since',
    patches: [
      patch(
        'src/runtime/connection/inbound.ts',
        '  else core.route(address, { type, session, message } as never)',
        "  else if ('bytes' in message)\n    core.environment.clock.setTimeout(() => core.route(address, { type, session, message } as never), 5)\n  else core.route(address, { type, session, message } as never)",
      ),
    ],
  },
  {
    name: 'session never expires',
    says: 'a session waits for its client for ever',
    patches: [
      patch(
        'src/runtime/session/session.ts',
        'Math.max(0, resumeWindowMs - Math.max(graceMs,',
        'Math.max(Infinity, resumeWindowMs - Math.max(graceMs,',
      ),
    ],
  },
  {
    name: 'answered request done again',
    says: 'a request whose reply was lost is done once more',
    patches: [
      patch('src/runtime/session/replies.ts', 'return this.#frames.get(id)', 'return undefined as Frame | undefined'),
    ],
  },
  {
    name: 'store not told of the end',
    says: 'sessions that are over stay on the disk',
    patches: [
      patch(
        'src/runtime/session/sessions.ts',
        '    session.directIds?.clear()\n    this.#tell(() => this.#store.delete(id))',
        '    session.directIds?.clear()',
      ),
    ],
  },
]
