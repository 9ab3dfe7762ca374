/** Damages bodies at random and looks at what becomes of them: every dialect, every provider's wire. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { chanceOf, runSeed } from '../random.ts'
import { richBody } from './fixtures.ts'
import { mutate, textOfMutant } from './mutate.ts'
import { ask, type DialectId, dialects, envelopeFault, pathOf, rig } from './rig.ts'

export async function damage(dialect: DialectId, rounds: number, context: TestContext): Promise<void> {
  const seed = runSeed()
  context.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  const chance = chanceOf(seed)
  const under = rig()
  let served = 0
  const faults: string[] = []
  for (let round = 0; round < rounds; round++) {
    const provider = dialects[round % dialects.length] ?? dialect
    const streamed = chance.one(0.3)
    const body = richBody(dialect, `${provider}/echo`)
    if (dialect !== 'gemini') body['stream'] = streamed
    mutate(body, chance)
    const text = textOfMutant(body, chance)
    const answer = await ask(under, pathOf(dialect, `${provider}/echo`, streamed), text)
    const label = `seed ${seed}, round ${round}, to ${provider}: ${answer.status} ${answer.text.slice(0, 300)}`
    if (answer.status === 200) {
      served++
      if (/"(?:code|error_code|reason)":"(?:internal|upstream_\w+)"/.test(answer.text)) faults.push(`in-stream ${label}`)
    } else if (answer.status < 400 || answer.status >= 500) faults.push(`status ${label}\n${text.slice(0, 3_000)}`)
    else {
      const wrong = envelopeFault(dialect, answer)
      if (wrong) faults.push(`${wrong}: ${label}`)
    }
  }
  assert.deepEqual(faults.slice(0, 5), [], `${faults.length} of ${rounds}`)
  assert.deepEqual(under.unforeseen(), [])
  assert.ok(served > rounds / 20, `only ${served} of ${rounds} were served: the damage is too great to test anything`)
  context.diagnostic(`${served} of ${rounds} served`)
}
