/** What a gateway with `store: memory:` writes down: what somebody asked to be counted, and nothing else. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseConfig } from '../../config/parse.ts'
import { startServing } from '../start.ts'

const OWNER = 'owner-key-of-the-test'
const env = { SIGNALBOX_ADMIN_KEY: OWNER }

async function requestsCounted(t: TestContext, extra: object): Promise<number> {
  const { config } = parseConfig({ server: { port: 0 }, store: { url: 'memory:' }, providers: { simulator: {} }, ...extra }, { env })
  assert.ok(config)
  const serving = await startServing({ config, env, quiet: true, write: () => {} })
  t.after(() => serving.stop())
  const body = JSON.stringify({ model: 'simulator/echo', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] })
  const headers = { authorization: 'Bearer any' }
  for (let count = 0; count < 3; count++) {
    const answer = await fetch(`${serving.url}/v1/chat/completions`, { method: 'POST', headers, body })
    assert.equal(answer.status, 200)
    await answer.text()
  }
  const usage = await fetch(`${serving.url}/admin/v1/usage`, { headers: { authorization: `Bearer ${OWNER}` } })
  const { rows } = (await usage.json()) as { rows: readonly { requests: number }[] }
  return rows.reduce((sum, { requests }) => sum + requests, 0)
}

test('calls of nobody in particular leave no trace where nothing is kept and no rule counts them', async (t) => {
  assert.equal(await requestsCounted(t, {}), 0)
})

test('where a rule counts them they are written down, as long as the process lives', async (t) => {
  assert.equal(await requestsCounted(t, { limits: [{ what: 'requests', limit: 100 }] }), 3)
})
