import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chanceOf, runSeed } from '../../../test/random.ts'
import { ledgerRig } from './testing/ledger-rig.ts'
import { assertSumsHold } from './testing/sums.ts'

test('sums of days are the sums of their entries, whatever comes late (SQLite)', async (t) => {
  const seed = runSeed()
  t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  assert.ok((await assertSumsHold((await ledgerRig(t)).database, chanceOf(seed))) > 20)
})
