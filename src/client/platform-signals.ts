/** What a platform tells about the network and about sleep: the page is looked at again, or the device woke up. */
export type PlatformSignal = 'network.online' | 'network.offline' | 'client.wake'

interface Target {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/** Listens to the browser, where there is one. Returns what ends it. */
export function listenToPlatform(tell: (signal: PlatformSignal) => void): () => void {
  const host = globalThis as Target & { document?: Target & { readonly visibilityState?: string } }
  const { document } = host
  const wake = (): void => tell('client.wake')
  const subscriptions: [Target | undefined, string, () => unknown][] = [
    [host, 'online', () => tell('network.online')],
    [host, 'offline', () => tell('network.offline')],
    [host, 'pageshow', wake],
    [document, 'visibilitychange', () => document?.visibilityState === 'visible' && wake()],
    [document, 'resume', wake],
  ]
  for (const [target, type, handler] of subscriptions) target?.addEventListener?.(type, handler)
  return () => {
    for (const [target, type, handler] of subscriptions) target?.removeEventListener?.(type, handler)
  }
}
