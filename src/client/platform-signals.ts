/** What a platform tells about the network and about sleep. */
export interface PlatformListener {
  online(): void
  offline(): void
  /** The page is looked at again, or the device woke up. */
  wake(): void
}

interface Target {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/** Listens to the browser, where there is one. Returns what ends it. */
export function listenToPlatform(listener: PlatformListener): () => void {
  const host = globalThis as Target & { document?: Target & { readonly visibilityState?: string } }
  const { document } = host
  const onVisibility = (): void => {
    if (document?.visibilityState === 'visible') listener.wake()
  }
  const subscriptions: [Target | undefined, string, () => void][] = [
    [host, 'online', () => listener.online()],
    [host, 'offline', () => listener.offline()],
    [host, 'pageshow', () => listener.wake()],
    [document, 'visibilitychange', onVisibility],
    [document, 'resume', () => listener.wake()],
  ]
  for (const [target, type, handler] of subscriptions) target?.addEventListener?.(type, handler)
  return () => {
    for (const [target, type, handler] of subscriptions) target?.removeEventListener?.(type, handler)
  }
}
