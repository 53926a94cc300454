import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^greenroom$/, replacement: source('src/index.ts') },
      { find: /^greenroom\/(ws|memory)$/, replacement: source('src/transports/$1.ts') },
      { find: /^greenroom\/lmdb$/, replacement: source('src/storage/lmdb.ts') },
      { find: /^greenroom\/machines$/, replacement: source('machines/index.ts') },
      { find: /^greenroom\/(auth|client|protocol|testing|conformance)$/, replacement: source('src/$1/index.ts') },
    ],
  },
  test: {
    // Against tests that hang: on a busy machine the longest take half a minute.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    // Two cores are all that is asked for; the tests that measure memory or drive a browser want one to themselves.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'], exclude: ['test/abuse/**'] } },
      {
        extends: true,
        test: {
          name: 'abuse',
          include: ['test/abuse/*.test.ts'],
          // What bystanders notice is measured: nothing else is to run meanwhile.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
