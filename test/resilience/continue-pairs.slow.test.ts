/** For every dialect and every pair of wires: a stream cut after each of its events goes on at the other provider. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callers, ENDINGS } from './continue-callers.ts'
import { type Break, continueRig, TEXT, wires } from './continue-rig.ts'

const breaks: readonly Break[] = ['error', 'end', 'half']

for (const first of wires) {
  for (const second of wires) {
    for (const repeats of [0, 3]) {
      test(`${first} → ${second}: cut after each event, ${repeats === 0 ? 'exactly continued' : 'with words said again'}`, async () => {
        const rig = continueRig({ first, second })
        let frames = 2
        for (let after = 1; after < frames; after++) {
          const how = breaks[after % 3] ?? 'error'
          rig.play({ after, how, repeats })
          const heard = await callers[first](rig.gateway).catch((error) => assert.fail(`after ${after} (${how}): ${error}`))
          frames = rig.frames()
          const [outcome] = rig.outcomes
          const where = `after ${after} of ${frames} (${how}), ${rig.sent.length} sent`
          assert.equal(heard.text, TEXT, where)
          assert.equal(heard.finish, ENDINGS[first], where)
          assert.equal(rig.outcomes.length, 1)
          assert.equal(outcome?.attempts.length, rig.sent.length, where)
          assert.equal(outcome?.error, undefined, where)
          // Where only the last mark is missing, nothing is added to what the provider said.
          if (rig.sent.length > 1) assert.equal(heard.output, outcome?.usage?.output, where)
        }
        await rig.gateway.close()
      })
    }
  }
}
