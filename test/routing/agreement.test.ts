/** The quick form of `agreement.slow.test.ts`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agree } from './agreement.ts'

test('explain agrees with what then happens', async (context) => {
  const seed = Number(process.env['SIGNALBOX_TEST_SEED'] ?? Date.now() % 1e9)
  context.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  const tally = await agree(150, seed)
  context.diagnostic(JSON.stringify(tally))
  assert.ok(tally.answered > 30 && tally.refused > 0 && tally.removedSome > 5, JSON.stringify(tally))
})
