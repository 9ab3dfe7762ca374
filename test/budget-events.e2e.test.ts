/** Budgets that tell a webhook before they are used up, through a gateway that serves. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { adminRig, OWNER } from './admin/rig.ts'

interface Got {
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly event: Readonly<Record<string, unknown>>
}
const got: Got[] = []
let silent = false
const receiver = createServer(async (request, response) => {
  let text = ''
  for await (const piece of request) text += piece
  got.push({ headers: request.headers, text, event: JSON.parse(text) as Got['event'] })
  if (!silent) response.writeHead(204).end()
})
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
after(() => {
  receiver.closeAllConnections()
  receiver.close()
})

const rig = await adminRig(
  {
    budgets: [{ name: 'per-key', limit: '0.001', window: 'day', by: 'key', warnAt: [0.01] }],
    reservation: { output: 100 },
    events: { webhook: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`, secret: 'env:HOOK_SECRET' } },
  },
  { HOOK_SECRET: 'a secret between us' },
)

async function until(good: () => boolean): Promise<void> {
  const began = performance.now()
  while (!good()) {
    assert.ok(performance.now() - began < 5_000, JSON.stringify(got))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a share of a budget that is used is told once, signed, and so is its end', async () => {
  const { id, key } = await rig.owner.keys.create({})
  for (let call = 0; call < 3; call++) assert.equal((await rig.ask(key)).status, 200)
  await until(() => got.length > 0)
  const [first = assert.fail()] = got
  assert.deepEqual(
    [first.event['type'], first.event['kind'], first.event['name'], first.event['by'], first.event['value'], first.event['share']],
    ['budget-warning', 'budget', 'per-key', 'key', id, 0.01],
  )
  assert.equal(first.event['limit'], '0.001')
  assert.ok(Number(first.event['spent']) >= 0.00001)
  const signature = createHmac('sha256', 'a secret between us').update(`${first.headers['x-signalbox-timestamp']}.${first.text}`)
  assert.equal(first.headers['x-signalbox-signature'], `sha256=${signature.digest('hex')}`)

  let status = 200
  for (let call = 0; call < 500 && status === 200; call++) status = (await rig.ask(key)).status
  assert.equal(status, 402)
  assert.equal((await rig.ask(key)).status, 402)
  await until(() => got.length > 1)
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.deepEqual(
    got.map(({ event }) => event['type']),
    ['budget-warning', 'budget-exceeded'],
  )
  const page = await (await rig.send('GET', '/metrics', { key: OWNER })).text()
  assert.match(page, /^signalbox_events_total\{type="budget-warning",outcome="taken"\} 1$/m)
  assert.match(page, /^signalbox_spending_refusals_total\{rule="budget",what="charge",by="key",outcome="refused"\} 2$/m)
})

test('a webhook that never answers holds up no call', async () => {
  silent = true
  const before = got.length
  const { key } = await rig.owner.keys.create({})
  const began = performance.now()
  for (let call = 0; call < 5; call++) assert.equal((await rig.ask(key)).status, 200)
  assert.ok(performance.now() - began < 2_000)
  await until(() => got.length > before)
  const stopping = performance.now()
  await rig.stop()
  assert.ok(performance.now() - stopping < 5_000)
})
