/**
 * The database is away under load. `SIGNALBOX_TEST_OUTAGE` is for how many seconds; 6 where it is not set. A cold start without it as well.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey } from '../nemesis/admin.ts'
import { eventually, kindsOf, sleep } from './caller.ts'
import { statusOf, withFleet } from './fleet.ts'
import { missing, outage, outages } from './outage.ts'

const seconds = Number(process.env['SIGNALBOX_TEST_OUTAGE'] ?? 6)
const ways = Object.keys(outages) as (keyof typeof outages)[]

for (const how of ways)
  test(`PostgreSQL ${how} for ${seconds} s under load: known keys go on, nothing is lost`, {
    timeout: seconds * 1_000 + 90_000,
  }, async (t) => {
    const fleet = await withFleet(t)
    if (!fleet) return
    const { faults, ...report } = await outage(fleet, how, seconds * 1_000)
    t.diagnostic(JSON.stringify(report))
    assert.deepEqual(faults, [])
    assert.ok(report.calls > 100)
  })

for (const how of ways)
  test(`a gateway that starts while PostgreSQL is ${how} serves when it is back, by itself`, { timeout: 90_000 }, async (t) => {
    const fleet = await withFleet(t)
    if (!fleet?.postgres) return
    const { gateways, urls, caller, postgres, provider } = fleet
    const [cold, warm] = gateways
    const [coldUrl = '', warmUrl = ''] = urls
    assert.ok(cold && warm)
    const from = Date.now() - 1_000
    const { key } = await createKey(coldUrl, { alias: 'known' })
    const answers = [await caller.call(coldUrl, key), await caller.call(warmUrl, key)]
    await outages[how].begin(postgres)
    await cold.kill()
    cold.launch()
    await eventually(
      () => statusOf(`${coldUrl}/healthz`),
      (status) => status === 200,
    )
    const load = caller.load({ urls: [warmUrl], everyMs: 20, key: () => key })
    for (let look = 0; look < 10; look++) {
      assert.equal(await statusOf(`${coldUrl}/readyz`), 503)
      const answer = await caller.call(coldUrl, key)
      assert.deepEqual([answer.status, answer.code], [503, 'store_unavailable'], answer.text)
      await sleep(200)
    }
    await outages[how].end(postgres)
    const back = Date.now()
    await eventually(
      () => statusOf(`${coldUrl}/readyz`),
      (status) => status === 200,
    )
    const readyAfter = Date.now() - back
    // Ready means served: from here on nothing is refused.
    for (let look = 0; look < 10; look++) answers.push(await caller.call(coldUrl, key))
    answers.push(...(await load.stop()))
    t.diagnostic(`ready ${readyAfter} ms after the database was back; ${JSON.stringify(kindsOf(answers))}`)
    assert.deepEqual(kindsOf(answers), { 200: answers.length })
    assert.deepEqual(await missing(warmUrl, from, answers, provider.received), [])
  })
