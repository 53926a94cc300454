/** Transitions that the simulation does not lead through, and why not. */
export const unreached: Readonly<Record<string, string>> = {
  'client.connecting: socket.closed when mustNotReturn → client.closed':
    'no server of ours refuses for good before the opening handshake is done',
  'client.open.server.leaving: xstate.after.leaveTimeout.client.open.server.leaving → client.waiting':
    'a server that says goodbye closes long before, unless it dies of it without a word and calls are unanswered',
  'connection.open.flow.flowing: outbox.overflowed → connection.open.flow.overflowing':
    'an outbox that overflows has been congested before; the chart does not rely on it',
  'connection.open.identity.valid: identity.renew → itself / refuseIdentity':
    'takes a token whose end and grace have both passed before their delays have',
  'connection.open.identity.expiring: identity.renew → itself / refuseIdentity':
    'takes a token whose grace has passed before its delay has',
  'room.open: room.restore → itself / restore':
    'a log is opened after the sessions that a process finds have been routed',
  'room.vacant: room.restore → room.open': 'nobody can have left a room before its sessions are restored',
  'room.vacant: room.storageFailed → room.ailing':
    'whose message is under way is a member still, and the room not vacant',
  'room.vacant: room.leave → itself / dismiss':
    'a room without members is asked by nobody; the chart answers all the same',
  'room.vacant: room.publish → itself / refuse': 'likewise',
  'room.vacant: room.presence → itself / refuse': 'likewise',
  'room.vacant: room.typing → itself / refuse': 'likewise',
  'room.vacant: room.history → itself / refuse': 'likewise',
  'supervisor.closing: xstate.after.closingTimeout.supervisor.closing → supervisor.stopped':
    'close handshakes give up sooner by themselves',
  'supervisor.failed: xstate.after.closingTimeout.supervisor.failed → supervisor.stopped': 'likewise',
}
