import { Buffer } from 'node:buffer'
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { endianness } from 'node:os'
import { thisOwner } from './owner.ts'

// What lmdb 3 writes (the structs of its mdb.c), on the machines that nearly everybody has. lmdb maps the file into
// memory, and reading what is missing of it there ends the process: so one looks before lmdb does.
const isKnownLayout = endianness() === 'LE' && (process.arch === 'x64' || process.arch === 'arm64')
const mark = Buffer.from(endianness() === 'LE' ? 'dec0efbe' : 'beefc0de', 'hex')
const dataVersion = 2
const pageHeaderBytes = 24
const nodeHeaderBytes = 8
const markAt = pageHeaderBytes
const noPage = 2 ** 64
const leaf = 0x02
const bigData = 0x01
const subDatabase = 0x02
const unflushed = 0x1000

/** One of the three places at which lmdb says where its data begins. */
interface Root {
  readonly transaction: number
  readonly boot: number
  readonly isFlushed: boolean
  readonly lastPage: number
  readonly pages: readonly number[]
}

/**
 * lmdb would not refuse another program's file, nor one of which a part is missing: it would end the process.
 *
 * @throws Error when it is not a whole file of lmdb
 */
export function refuseBrokenFile(file: string): void {
  if (!existsSync(file)) return
  withDescriptor(file, (descriptor) => {
    const { size } = fstatSync(descriptor)
    if (size === 0) return
    const beginning = Buffer.alloc(64)
    readSync(descriptor, beginning)
    const at = beginning.indexOf(mark)
    if (at < 0) throw new Error('it is not a file of lmdb')
    if (!isKnownLayout) return
    const version = beginning.readUInt32LE(at + 4) & 0xffff
    if (at !== markAt || version !== dataVersion) throw new Error(`lmdb wrote it in its format ${version}`)
    const pageSize = beginning.readUInt32LE(48)
    if (pageSize < 256 || pageSize > 65_536 || size < 2 * pageSize) throw new Error('a part of its file is missing')
    const { lastPage, pages } = readRoot(descriptor, pageSize)
    // Asked again: another process that has it open may have let it grow, and told of that, since.
    const { size: grown } = fstatSync(descriptor)
    // Pages that are free need not be there.
    if (grown >= (lastPage + 1) * pageSize || holdsAll(descriptor, Math.floor(grown / pageSize), pageSize, pages))
      return
    throw new Error('a part of its file is missing')
  })
}

/** The root that lmdb is going to choose: after a crash of the machine the last that was surely on the disk. */
function readRoot(descriptor: number, pageSize: number): Root {
  const [even, flushed, odd] = [0, pageSize / 2, pageSize].map((start): Root => {
    const meta = Buffer.alloc(168)
    readSync(descriptor, meta, 0, meta.length, start)
    return {
      transaction: readNumber(meta, 152),
      boot: readNumber(meta, 160),
      isFlushed: (meta.readUInt16LE(52) & unflushed) === 0,
      lastPage: readNumber(meta, 144),
      pages: [readNumber(meta, 88), readNumber(meta, 136)],
    }
  }) as [Root, Root, Root]
  const latest = odd.transaction > even.transaction ? odd : even
  const isOfThisBoot = latest.boot === Number.parseInt(thisOwner().boot, 16)
  return flushed.transaction === 0 || latest.isFlushed || isOfThisBoot ? latest : flushed
}

/** Whether all that can be reached from some pages is among the first so many. */
function holdsAll(descriptor: number, count: number, pageSize: number, roots: readonly number[]): boolean {
  const open = [...roots]
  const page = Buffer.alloc(pageSize)
  let visited = 0
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    if (number === noPage) continue
    // More than there are: they go round in a circle.
    if (number >= count || ++visited > count) return false
    readSync(descriptor, page, 0, pageSize, number * pageSize)
    const isLeaf = (page.readUInt16LE(18) & leaf) !== 0
    const nodes = page.readUInt16LE(20) >> 1
    for (let i = 0; i < nodes; i++) {
      const node = pageHeaderBytes + page.readUInt16LE(pageHeaderBytes + 2 * i)
      const flags = page.readUInt16LE(node + 4)
      const data = node + nodeHeaderBytes + page.readUInt16LE(node + 6)
      if (!isLeaf) open.push(page.readUInt32LE(node) + flags * 2 ** 32)
      else if ((flags & subDatabase) !== 0) open.push(readNumber(page, data + 40))
      else if ((flags & bigData) !== 0 && readNumber(page, data) + readNumber(page, data + 16) > count) return false
    }
  }
  return true
}

function readNumber(buffer: Buffer, at: number): number {
  return Number(buffer.readBigUInt64LE(at))
}

/** Which file of the disk it is, under whatever name; undefined when there is none. */
export function fileIdentity(file: string): string | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stats && `${stats.dev} ${stats.ino}`
}

/** Does something with a file that is open meanwhile. */
export function withDescriptor<T>(path: string, action: (descriptor: number) => T): T {
  const descriptor = openSync(path, 'r')
  try {
    return action(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
