/** A thousand random calls to a hundred random gateways. A failure names its seed: `SIGNALBOX_TEST_SEED` repeats the run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agree } from './agreement.ts'

test('explain agrees with what then happens in a thousand cases', async (context) => {
  const seed = Number(process.env['SIGNALBOX_TEST_SEED'] ?? Date.now() % 1e9)
  context.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  const tally = await agree(1_000, seed)
  context.diagnostic(JSON.stringify(tally))
  assert.ok(tally.calls >= 1_000 && tally.answered > 300 && tally.fellOver > 50 && tally.refused > 20, JSON.stringify(tally))
})
