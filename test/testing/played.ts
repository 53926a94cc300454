import type { TestRuntime } from '../../src/testing/index.ts'

/** Plays on a stage that is closed afterwards. */
export async function on(test: TestRuntime, play: (test: TestRuntime) => Promise<void>): Promise<void> {
  await play(test)
  await test.close()
}
