import { describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'

describe('handlers', () => {
  const stage = new AbuseStage({ handlerTimeoutMs: 200 })

  stage.abuse(
    'handler.failing',
    async () => {
      const attacker = await stage.enter()
      for (const type of ['throws', 'rejects']) {
        const reply = await attacker.ask({ type })
        expect(reply).toMatchObject({ type: 'error', code: 'internal' })
        expect(JSON.stringify(reply)).not.toContain('secret')
      }
      expect(await attacker.ask({ type: 'refuses' })).toMatchObject({ type: 'error', code: 'sold-out' })
      const begun = performance.now()
      expect(await attacker.ask({ type: 'never' })).toMatchObject({ type: 'error', code: 'timeout' })
      expect(performance.now() - begun).toBeLessThan(200 + 500)
      expect(await attacker.ask({ type: 'echo', data: 1 })).toMatchObject({ type: 'reply', data: 1 })
      await attacker.leave()
    },
    { tells: ['callback.threw'] },
  )
})
