/** What the metrics of a gateway that serves say of its database, its counters, its keys and its secrets. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { adminRig, OWNER } from './admin/rig.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-kept-'))
after(() => rmSync(directory, { recursive: true, force: true }))

test('a database that answers, a Redis that does not, a secret that nobody has put, and calls that wait for room', async () => {
  const rig = await adminRig(
    {
      store: { url: `sqlite:${join(directory, 'signalbox.db')}` },
      // Nobody listens there.
      shared: { url: 'redis://127.0.0.1:1', onFailure: 'open' },
      secrets: { masterKey: 'env:MASTER' },
      providers: { sim: { preset: 'simulator', keys: ['secret:not-put-yet'] } },
      limits: [{ what: 'requests', limit: 2, by: 'key' }],
    },
    { MASTER: Buffer.alloc(32, 7).toString('base64') },
  )
  const { key } = await rig.owner.keys.create({})
  const statuses: number[] = []
  for (let call = 0; call < 5; call++) statuses.push((await rig.ask(key)).status)
  assert.equal(statuses.filter((status) => status === 429).length, 3, statuses.join(' '))
  const page = await (await rig.send('GET', '/metrics', { key: OWNER })).text()
  for (const line of [
    'signalbox_database_up 1',
    'signalbox_counters_mode{mode="redis"} 0',
    'signalbox_counters_mode{mode="local"} 1',
    'signalbox_access_loaded 1',
    'signalbox_keys 1',
    'signalbox_secrets_with_problem 1',
    'signalbox_ledger_behind 0',
    'signalbox_ledger_dropped_total 0',
    'signalbox_budget_waiting 0',
    'signalbox_spending_refusals_total{rule="limit",what="requests",by="key",outcome="refused"} 3',
    'signalbox_admin_requests_total{operation="keys.create",status="201"} 1',
    'signalbox_events_waiting 0',
  ])
    assert.ok(page.split('\n').includes(line), `${line}\nin\n${page}`)
  assert.match(page, /^signalbox_counters_untold \d+$/m)
  assert.match(page, /^signalbox_ledger_waiting \d+$/m)
  assert.ok(!page.includes(key), 'a key is in no label')
})
