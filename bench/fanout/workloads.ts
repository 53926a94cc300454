/** Who says how much to whom. Everything here is a fan-out: to a thousand, to five, to oneself. */
export interface Workload {
  readonly name: 'fanout' | 'rooms' | 'echo'
  readonly title: string
  readonly rooms: number
  readonly membersPerRoom: number
  readonly speakersPerRoom: number
  /** What each speaker has on its way at any time: the next leaves when one of its own is back. */
  readonly inFlight: number
  /** Whether what is said is also acknowledged; then it is back with its acknowledgement, and those are counted. */
  readonly acknowledged: boolean
  /** Whether the CPU per delivery is also measured at a quiet pace, where nothing can be batched. */
  readonly paced: boolean
}

/** All workloads. Each keeps a server busy on one core while its clients still have time to spare on another. */
export const workloads: readonly Workload[] = [
  {
    name: 'fanout',
    title: 'one room of 1,000, 4 of them with 4 messages in flight each',
    rooms: 1,
    membersPerRoom: 1_000,
    speakersPerRoom: 4,
    inFlight: 4,
    acknowledged: false,
    paced: true,
  },
  {
    name: 'rooms',
    title: '1,000 rooms of 5, everybody with 1 message in flight',
    rooms: 1_000,
    membersPerRoom: 5,
    speakersPerRoom: 5,
    inFlight: 1,
    acknowledged: false,
    paced: false,
  },
  {
    name: 'echo',
    title: '100 connections, each alone in its room with 16 acknowledged requests in flight',
    rooms: 100,
    membersPerRoom: 1,
    speakersPerRoom: 1,
    inFlight: 16,
    acknowledged: true,
    paced: false,
  },
]
