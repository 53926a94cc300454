import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hasRestartedSince, isRunning, thisOwner } from '../../src/storage/lmdb/owner.ts'

describe('the owner of a store', () => {
  it.runIf(existsSync('/proc/self/stat'))(
    'is running as long as its process is, and no other that has its number',
    () => {
      const owner = thisOwner()
      expect(isRunning(owner)).toBe(true)
      expect(isRunning({ ...owner, began: String(Number(owner.began) - 1) })).toBe(false)
      expect(isRunning({ ...owner, pid: process.ppid })).toBe(false)
      expect(isRunning({ ...owner, pid: 4_194_305 })).toBe(false)
      expect(isRunning({ ...owner, boot: 'another' })).toBe(false)
    },
  )

  it('is not known to be running where the system does not tell', () => {
    expect(isRunning({ ...thisOwner(), began: '' })).toBe(false)
  })

  it('may have seen the machine end, unless it was this run of it', () => {
    const owner = thisOwner()
    expect(hasRestartedSince(owner)).toBe(owner.boot === '')
    expect(hasRestartedSince({ ...owner, boot: 'another' })).toBe(true)
    expect(hasRestartedSince({ ...owner, boot: '' })).toBe(true)
  })
})
