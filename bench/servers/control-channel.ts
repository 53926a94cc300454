/** What a server under test tells the runner. */
export type ServerReport =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'cpu'; readonly micros: number }

/** What the runner asks a server under test. */
export type RunnerRequest = { readonly type: 'cpu' }

const report = (message: ServerReport): void => {
  process.send?.(message)
}

/**
 * Says where this server listens, and from then on what it has spent. It ends with the channel, so that no server
 * outlives its runner, however that one ended.
 */
export function answerRunner(port: number): void {
  process.on('message', (request: RunnerRequest) => {
    if (request.type !== 'cpu') return
    const { user, system } = process.cpuUsage()
    report({ type: 'cpu', micros: user + system })
  })
  process.on('disconnect', () => process.exit(0))
  report({ type: 'listening', port })
}
