/** Provider keys and the master key change under running calls: no call fails. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cancellation } from '../../src/core/cancellation.ts'
import type { Exchange } from '../../src/core/exchange.ts'
import type { Transport, UpstreamRequest } from '../../src/core/http.ts'
import { bytesOf } from '../../src/core/http.ts'
import type { Inquiry } from '../../src/core/inquiry.ts'
import { scanMembers } from '../../src/core/members.ts'
import { anonymous } from '../../src/core/principal.ts'
import type { Candidate } from '../../src/core/target.ts'
import { attemptAll, type Upstreams } from '../../src/egress/attempts.ts'
import { createProvider } from '../../src/egress/provider.ts'
import { createRetryBudgets } from '../../src/egress/retry-budget.ts'
import { createHealth } from '../../src/routing/health/health.ts'
import { createProviderKeys } from '../../src/secrets/provider-keys.ts'
import { createSecrets, type Secrets } from '../../src/secrets/secrets.ts'
import { createMemoryRecords } from '../../src/store/memory/records.ts'
import { wires } from '../../src/wire/index.ts'

const SECONDS = { connectMs: 1_000, firstTokenMs: 5_000, idleMs: 5_000, answerMs: 5_000, totalMs: 10_000 }
const candidate: Candidate = {
  provider: 'p',
  model: 'm',
  wires: ['openai-chat'],
  weight: 1,
  timeouts: SECONDS,
  attempts: 1,
  on: (wire) => ({ provider: 'p', model: 'm', wire, capabilities: {}, quirks: {} }),
}

const text = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
const inquiry: Inquiry = {
  wire: 'openai-chat',
  op: 'chat',
  model: 'm',
  streamed: false,
  json: JSON.parse(text),
  text,
  scan: scanMembers(text),
  headers: {},
  scope: () => '',
  query: '',
  strict: false,
  inlineCost: false,
  rounded: [],
  call: () => assert.fail('nothing is translated'),
}

const exchangeFor = (organisation?: string): Exchange => ({
  id: 'req_test',
  at: Date.now(),
  startedAt: performance.now(),
  cancellation: new Cancellation(),
  dialect: 'openai-chat',
  streamed: false,
  attempts: [],
  drops: [],
  status: 0,
  outputCharacters: 0,
  inputCharacters: 0,
  ...(organisation !== undefined && { principal: { ...anonymous, tenant: { organisation } } }),
})

const answer = JSON.stringify({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
})

interface Rig {
  readonly secrets: Secrets
  /** What the provider takes, when the answer goes out. */
  readonly accepted: Set<string>
  readonly used: Map<string, number>
  call(organisation?: string): Promise<void>
  close(): Promise<void>
}

async function rig({ retryMs = 5_000 } = {}): Promise<Rig> {
  const env = { MASTER: randomBytes(32).toString('base64'), NEXT: randomBytes(32).toString('base64') }
  const records = createMemoryRecords()
  const secrets = createSecrets({ env, records, masterKey: 'env:MASTER' })
  await secrets.put('p', 'provider-key-0')
  const health = createHealth()
  const keys = createProviderKeys({ secrets, overlapMs: () => 60_000, retryMs, changed: () => health.configure(keys.counts()) })
  assert.deepEqual(await secrets.start([{ reference: 'secret:p', path: 'providers.p.keys[0]' }]), [])
  keys.configure(new Map([['p', ['secret:p']]]))
  health.configure(keys.counts())
  const accepted = new Set(['provider-key-0'])
  const used = new Map<string, number>()
  const transport: Transport = {
    async send({ headers }: UpstreamRequest) {
      await sleep(1 + Math.random() * 6)
      const key = (headers['authorization'] ?? '').replace('Bearer ', '')
      used.set(key, (used.get(key) ?? 0) + 1)
      const good = accepted.has(key)
      const bytes = bytesOf(good ? answer : '{"error":{"message":"invalid api key"}}')
      return {
        status: good ? 200 : 401,
        headers: { 'content-type': 'application/json' },
        body: (async function* () {
          yield bytes
        })(),
      }
    },
    async close() {},
  }
  const credentials = keys.of('p')
  assert.ok(credentials)
  const upstreams: Upstreams = {
    providers: new Map([
      [
        'p',
        createProvider({
          id: 'p',
          baseUrlOf: () => 'http://p.test/v1',
          auth: { header: 'authorization', prefix: 'Bearer ' },
          keys: credentials,
        }),
      ],
    ]),
    wires,
    limits: { answer: 1_000_000, event: 1_000_000 },
    transportOf: () => transport,
    health,
    budgets: createRetryBudgets(health.now),
  }
  return {
    secrets,
    accepted,
    used,
    async call(organisation) {
      const { answer: came } = await attemptAll(inquiry, [candidate], exchangeFor(organisation), upstreams)
      assert.equal(came.kind === 'event-stream' || came.kind === 'byte-stream', false)
    },
    async close() {
      keys.stop()
      await secrets.close()
      await records.close()
    },
  }
}

/** Calls without a pause until `work` is done; every fault is kept. */
async function underLoad(call: () => Promise<void>, work: () => Promise<void>, lanes = 16): Promise<{ calls: number; faults: unknown[] }> {
  let running = true
  let calls = 0
  const faults: unknown[] = []
  const lane = async (): Promise<void> => {
    while (running) {
      calls++
      await call().catch((error: unknown) => faults.push(error))
    }
  }
  const all = Array.from({ length: lanes }, lane)
  try {
    await work()
    await sleep(30)
  } finally {
    running = false
    await Promise.all(all)
  }
  return { calls, faults }
}

describe('under load', () => {
  test('provider keys are replaced ten times, the old one taken back a moment later: no call fails', async () => {
    const { secrets, accepted, used, call, close } = await rig()
    const { calls, faults } = await underLoad(
      () => call(),
      async () => {
        for (let round = 1; round <= 10; round++) {
          accepted.add(`provider-key-${round}`)
          await secrets.put('p', `provider-key-${round}`)
          await sleep(20)
          accepted.delete(`provider-key-${round - 1}`)
          await sleep(20)
        }
      },
    )
    assert.deepEqual(faults, [])
    assert.ok(calls > 300, String(calls))
    for (let round = 0; round <= 10; round++) assert.ok((used.get(`provider-key-${round}`) ?? 0) > 0, `key ${round}`)
    await close()
  })

  test('the old key dies in the moment in which the new one is put: calls on their way are sent again with it', async () => {
    const { secrets, accepted, call, close } = await rig()
    const { faults } = await underLoad(
      () => call(),
      async () => {
        for (let round = 1; round <= 5; round++) {
          accepted.add(`provider-key-${round}`)
          await secrets.put('p', `provider-key-${round}`)
          accepted.delete(`provider-key-${round - 1}`)
          await sleep(40)
        }
      },
    )
    assert.deepEqual(faults, [])
    await close()
  })

  test('a new key that the provider does not know yet: the old one serves until it does, and not any more after that', async () => {
    const { secrets, accepted, used, call, close } = await rig({ retryMs: 20 })
    const { faults } = await underLoad(
      () => call(),
      async () => {
        await secrets.put('p', 'provider-key-1')
        await sleep(60)
        accepted.add('provider-key-1')
        await sleep(100)
      },
    )
    assert.deepEqual(faults, [])
    used.clear()
    for (let i = 0; i < 20; i++) await call()
    assert.deepEqual([...used.keys()], ['provider-key-1'])
    await close()
  })

  test('the master key and the data keys are replaced while provider keys are: no call fails', async () => {
    const { secrets, accepted, call, close } = await rig()
    const { faults } = await underLoad(
      () => call(),
      async () => {
        accepted.add('provider-key-1')
        const [rotation] = await Promise.all([secrets.rotateMaster('env:NEXT'), secrets.put('p', 'provider-key-1')])
        assert.equal(rotation.failed, 0)
        await secrets.renewDataKeys(0)
        await sleep(20)
      },
    )
    assert.deepEqual(faults, [])
    assert.equal(secrets.current('secret:p'), 'provider-key-1')
    await close()
  })

  test("an organisation's own key serves its calls only, and its refusal costs nobody else theirs", async () => {
    const { secrets, accepted, used, call, close } = await rig()
    await secrets.put('p', 'acme-key', 'acme')
    accepted.add('acme-key')
    for (let i = 0; i < 5; i++) await Promise.all([call('acme'), call('other'), call()])
    assert.equal(used.get('acme-key'), 5)
    assert.equal(used.get('provider-key-0'), 10)
    accepted.delete('acme-key')
    await assert.rejects(call('acme'))
    await call('other')
    assert.equal(used.get('provider-key-0'), 11, "another organisation's key is never used in its place")
    await secrets.remove('p', 'acme')
    await call('acme')
    await close()
  })
})
