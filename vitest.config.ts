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
    include: ['test/**/*.test.ts'],
    // Two cores are all that is asked for; the tests that measure memory or drive a browser want one to themselves.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
  },
})
