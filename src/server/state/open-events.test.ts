import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { EventsConfig } from '../../config/config.ts'
import { nanosOf } from '../../core/money.ts'
import { signatureOf } from '../../drills/notify.ts'
import type { SpendingEvent } from '../../policy/spending/warnings.ts'
import { type EventsParts, openEvents } from './open-events.ts'

interface Got {
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Answers with these statuses in turn, the last one again and again; `undefined`: never. */
async function receiver(t: TestContext, statuses: readonly (number | undefined)[]) {
  const got: Got[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request) text += piece
    const status = statuses[Math.min(got.length, statuses.length - 1)]
    got.push({ headers: request.headers, text })
    if (status !== undefined) response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

function open(t: TestContext, webhook: Partial<EventsConfig['webhook']> & { readonly url: string }, parts: Partial<EventsParts> = {}) {
  const told: string[] = []
  const events = openEvents({
    secret: async (reference) => `value of ${reference}`,
    tell: (line) => told.push(line),
    waitsMs: [5, 5, 5],
    partingMs: 100,
    ...parts,
  })
  events.configure({ events: { webhook: { secret: undefined, when: ['budget-warning', 'budget-exceeded'], ...webhook } } })
  t.after(() => events.close())
  return { events, told }
}

const event = (over: Partial<SpendingEvent> = {}): SpendingEvent => ({
  type: 'budget-warning',
  kind: 'budget',
  rule: 'bud_1',
  name: 'per-key',
  by: 'key',
  value: 'key_1',
  organisation: undefined,
  share: 0.8,
  limit: nanosOf('20') ?? 0n,
  spent: nanosOf('16.5') ?? 0n,
  at: Date.parse('2026-03-04T12:00:00Z'),
  resetsAt: Date.parse('2026-03-05T00:00:00Z'),
  ...over,
})

async function until(good: () => boolean): Promise<void> {
  const began = performance.now()
  while (!good()) {
    assert.ok(performance.now() - began < 5_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const counts = (events: ReturnType<typeof openEvents>): Record<string, number> =>
  Object.fromEntries([...events.ended.read()].map(([words, count]) => [words.join(' '), count]))

test('an event is posted as JSON, signed with the secret behind the reference', async (t) => {
  const { got, url } = await receiver(t, [204])
  const { events, told } = open(t, { url, secret: 'env:HOOK' })
  events.spending(event())
  assert.equal(got.length, 0)
  await until(() => events.waiting === 0)
  const [first = assert.fail('nothing came')] = got
  const { id, ...body } = JSON.parse(first.text) as Record<string, unknown>
  assert.deepEqual(body, {
    type: 'budget-warning',
    at: '2026-03-04T12:00:00.000Z',
    kind: 'budget',
    rule: 'bud_1',
    name: 'per-key',
    by: 'key',
    value: 'key_1',
    share: 0.8,
    limit: '20',
    spent: '16.5',
    resetsAt: '2026-03-05T00:00:00.000Z',
  })
  assert.match(String(id), /^evt_[0-9a-f]{32}$/)
  assert.equal(first.headers['x-signalbox-event'], id)
  const timestamp = String(first.headers['x-signalbox-timestamp'])
  assert.equal(first.headers['x-signalbox-signature'], signatureOf('value of env:HOOK', timestamp, first.text))
  assert.deepEqual([counts(events), told], [{ 'budget-warning taken': 1 }, []])
})

test('an event that is not taken is posted again under the same id, and those behind it keep their order', async (t) => {
  const { got, url } = await receiver(t, [500, 429, 200])
  const { events } = open(t, { url })
  events.spending(event())
  events.spending(event({ type: 'budget-exceeded', share: undefined }))
  await until(() => events.waiting === 0)
  const ids = got.map(({ headers }) => headers['x-signalbox-event'])
  assert.equal(got.length, 4)
  assert.deepEqual([ids[0], ids[1]], [ids[2], ids[2]])
  assert.deepEqual(
    got.map(({ text }) => (JSON.parse(text) as { type: string }).type),
    ['budget-warning', 'budget-warning', 'budget-warning', 'budget-exceeded'],
  )
})

test('what is refused is not posted again; what is never taken is given up in the end', async (t) => {
  const no = await receiver(t, [410])
  const refused = open(t, { url: no.url })
  refused.events.spending(event())
  await until(() => refused.events.waiting === 0)
  assert.deepEqual([no.got.length, counts(refused.events)], [1, { 'budget-warning refused': 1 }])
  assert.match(refused.told.join(), /^events\.webhook: the webhook answered 410$/)
  const ill = await receiver(t, [503])
  const given = open(t, { url: ill.url })
  given.events.spending(event())
  await until(() => given.events.waiting === 0)
  assert.deepEqual([ill.got.length, counts(given.events)], [4, { 'budget-warning given-up': 1 }])
  assert.equal(given.told.length, 1)
})

test('a secret that cannot be read is asked for again; nothing goes out unsigned', async (t) => {
  const { got, url } = await receiver(t, [200])
  let asked = 0
  const secret = async (): Promise<string> => {
    if (++asked < 3) throw new Error('the vault is away')
    return 'at last'
  }
  const { events, told } = open(t, { url, secret: 'vault:hook' }, { secret })
  events.spending(event())
  await until(() => events.waiting === 0)
  assert.equal(got.length, 1)
  assert.ok(got[0]?.headers['x-signalbox-signature'])
  assert.match(told.join(), /the secret cannot be read: the vault is away/)
})

test('only what the configuration names is posted, and nothing where there is none', async (t) => {
  const { got, url } = await receiver(t, [200])
  const { events } = open(t, { url, when: ['budget-exceeded'] })
  events.spending(event())
  assert.equal(events.waiting, 0)
  events.configure({})
  events.spending(event({ type: 'budget-exceeded' }))
  assert.equal(events.waiting, 0)
  events.configure({ events: { webhook: { url, secret: undefined, when: ['budget-exceeded'] } } })
  events.spending(event({ type: 'budget-exceeded' }))
  await until(() => got.length === 1)
})

test('when the webhook says nothing, so many events wait and no more, and the end does not wait for it', async (t) => {
  const { url } = await receiver(t, [undefined])
  const { events, told } = open(t, { url }, { most: 3 })
  for (let count = 0; count < 10; count++) events.spending(event())
  assert.equal(events.waiting, 3)
  assert.deepEqual(counts(events), { 'budget-warning dropped': 7 })
  const began = performance.now()
  await events.close()
  assert.ok(performance.now() - began < 2_000)
  assert.match(told.at(-1) ?? '', /2 events were not posted/)
})
