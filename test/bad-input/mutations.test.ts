/** The quick form of `mutations.slow.test.ts`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { damage } from './damage.ts'
import { richBody } from './fixtures.ts'
import { ask, dialects, pathOf, rig } from './rig.ts'

test('the bodies are served by every provider as long as they are whole', async () => {
  const under = rig()
  for (const dialect of dialects)
    for (const provider of dialects)
      for (const streamed of [false, true]) {
        const body = richBody(dialect, `${provider}/echo`)
        if (dialect !== 'gemini') body['stream'] = streamed
        const answer = await ask(under, pathOf(dialect, `${provider}/echo`, streamed), JSON.stringify(body))
        assert.equal(answer.status, 200, `${dialect} → ${provider}: ${answer.text}`)
      }
})

for (const dialect of dialects)
  test(`${dialect}: damaged bodies are served or refused in the dialect, whatever the provider speaks`, (context) =>
    damage(dialect, 200, context))
