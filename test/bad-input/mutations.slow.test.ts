/** Ten thousand damaged bodies per dialect. A failure names its seed: `SIGNALBOX_TEST_SEED` repeats the run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bytesOf } from '../../src/core/http.ts'
import { damage } from './damage.ts'
import { richBody } from './fixtures.ts'
import { ask, dialects, envelopeFault, pathOf, rig } from './rig.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const ROUNDS = 10_000

for (const dialect of dialects)
  test(`${dialect}: damaged bodies are served or refused in the dialect, and leave nothing behind`, async (context) => {
    await damage(dialect, 500, context)
    const before = settled()
    await damage(dialect, ROUNDS - 500, context)
    const after = settled()
    context.diagnostic(`memory ${before.heapMb.toFixed(1)} → ${after.heapMb.toFixed(1)} MB, resources ${before.open} → ${after.open}`)
    assert.ok(after.heapMb - before.heapMb < 15, `the heap grew from ${before.heapMb} to ${after.heapMb} MB`)
    assert.ok(after.open <= before.open + 2, `open resources grew from ${before.open} to ${after.open}`)
  })

test('a body cut off at any byte is a 400', async () => {
  const under = rig()
  for (const dialect of dialects) {
    const bytes = bytesOf(JSON.stringify(richBody(dialect, 'openai-chat/echo')))
    for (let length = 0; length < bytes.length; length++) {
      const answer = await ask(under, pathOf(dialect, 'openai-chat/echo', false), bytes.subarray(0, length))
      assert.equal(answer.status, 400, `${dialect} cut at ${length}`)
      assert.equal(envelopeFault(dialect, answer), undefined)
    }
  }
  assert.deepEqual(under.sent(), [])
})

/** Memory after a collection, and timers, sockets and the like that are open. */
function settled(): { heapMb: number; open: number } {
  for (let round = 0; round < 3; round++) collect()
  return { heapMb: process.memoryUsage().heapUsed / 1e6, open: process.getActiveResourcesInfo().length }
}
