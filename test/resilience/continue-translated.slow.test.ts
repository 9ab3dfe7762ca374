/** The same where the first provider is translated too: the caller's dialect is neither's wire, or only the second's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callers, ENDINGS } from './continue-callers.ts'
import { type Break, continueRig, TEXT, wires } from './continue-rig.ts'

const breaks: readonly Break[] = ['end', 'half', 'error']

for (const [place, caller] of wires.entries()) {
  for (const first of wires) {
    if (first === caller) continue
    // The caller's own wire, and one that is neither's.
    const other = wires.find((wire, index) => wire !== caller && wire !== first && index !== place + 1) ?? first
    for (const second of [caller, other]) {
      test(`a ${caller} caller: ${first} cut after each event, ${second} goes on`, async () => {
        const rig = continueRig({ first, second })
        let frames = 2
        for (let after = 1; after < frames; after++) {
          const how = breaks[after % 3] ?? 'error'
          rig.play({ after, how, repeats: after % 2 === 0 ? 3 : 0 })
          const where = `after ${after} (${how})`
          const heard = await callers[caller](rig.gateway).catch((error) => assert.fail(`${where}: ${error}`))
          frames = rig.frames()
          const [outcome] = rig.outcomes
          assert.equal(heard.text, TEXT, where)
          assert.equal(heard.finish, ENDINGS[caller], where)
          assert.equal(outcome?.attempts.length, rig.sent.length, where)
          assert.equal(heard.output, outcome?.usage?.output, where)
          assert.equal(heard.input, outcome?.usage?.input, where)
        }
        await rig.gateway.close()
      })
    }
  }
}
