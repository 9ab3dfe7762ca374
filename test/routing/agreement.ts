/** Random gateways and random calls: what explain says, and what then happens. A failure names its seed. */
import assert from 'node:assert/strict'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { assemble } from '../../src/config/assemble.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { HttpRequest, Transport } from '../../src/core/http.ts'
import { createHealth } from '../../src/routing/health/health.ts'
import { numbersFrom } from '../random.ts'

interface Dice {
  (): number
  pick<T>(from: readonly T[]): T
  maybe(share: number): boolean
}

function diceOf(seed: number): Dice {
  const random = numbersFrom(seed)
  return Object.assign(() => random(), {
    pick: <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T,
    maybe: (share: number) => random() < share,
  })
}

const catalog = createCatalog()
const CALLS_EACH = 10

/** How many calls of each kind there were, so that a run that tests nothing shows. */
export interface Tally {
  calls: number
  answered: number
  fellOver: number
  refused: number
  removedSome: number
}

export async function agree(cases: number, seed: number): Promise<Tally> {
  const tally: Tally = { calls: 0, answered: 0, fellOver: 0, refused: 0, removedSome: 0 }
  for (let number = 0; tally.calls < cases; number++) await oneGateway(seed + number, tally)
  return tally
}

async function oneGateway(seed: number, tally: Tally): Promise<void> {
  const dice = diceOf(seed)
  let random = numbersFrom(seed)
  const down = new Set(['p0', 'p1', 'p2', 'p3', 'p4', 'mistral', 'anthropic'].filter(() => dice.maybe(0.25)))
  const tried: string[] = []
  const parsed = parseConfig(configOf(dice), { env: { KEY: 'k' }, catalog: () => catalog, embedded: true })
  assert.ok(parsed.config, `seed ${seed}: ${JSON.stringify(parsed.problems)}`)
  const line = assemble({
    config: parsed.config,
    catalog,
    secrets: { env: { KEY: 'k' }, allowPlaintext: false },
    transport: scripted(down, tried),
    simulatorTransport: () => scripted(down, tried),
    health: createHealth({ random: () => random() }),
  })
  const ask = async (path: string, { headers, body }: Call) => {
    const request: HttpRequest = { method: 'POST', path, query: '', headers, body: new TextEncoder().encode(JSON.stringify(body)) }
    const reply = await line.handle(request)
    assert.ok(reply.body instanceof Uint8Array)
    return { status: reply.status, headers: reply.headers, json: JSON.parse(new TextDecoder().decode(reply.body)) }
  }
  for (let count = 0; count < CALLS_EACH; count++) {
    const call = callOf(dice)
    const lot = Math.floor(dice() * 1e9)
    const where = `seed ${seed}, call ${count}: ${JSON.stringify(call)}`
    random = numbersFrom(lot)
    const told = await ask('/v1/route/explain', { ...call, body: { dialect: call.dialect, request: call.body } })
    assert.equal(tried.length, 0, `${where}: explain sends nothing`)
    random = numbersFrom(lot)
    const done = await ask(call.path, call)
    tally.calls++
    compare(told, done, tried.splice(0), down, tally, where)
  }
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly json: Body
}

/** The members of an explanation, and of an answer or error, that are compared. */
interface Body {
  readonly error?: { readonly code: string }
  readonly order?: readonly Place[]
  readonly candidates?: readonly (Place & { readonly removed?: string })[]
  readonly reason?: string
}

interface Place {
  readonly provider: string
  readonly model: string
}

function compare(told: Answer, done: Answer, tried: readonly string[], down: ReadonlySet<string>, tally: Tally, where: string): void {
  if (told.status !== 200) {
    assert.equal(done.status, told.status, where)
    assert.equal(tried.length, 0, where)
    return
  }
  if (told.json.error) {
    tally.refused++
    assert.equal(done.headers['x-signalbox-error'], told.json.error.code, where)
    assert.equal(tried.length, 0, where)
    return
  }
  const names = (list: readonly Place[] = []): string[] => [...new Set(list.map((one) => `${one.provider}/${one.model}`))]
  const order = names(told.json.order)
  const distinct = [...new Set(tried)]
  assert.deepEqual(distinct, order.slice(0, distinct.length), `${where}\n${JSON.stringify(told.json.order)}`)
  const removed = names(told.json.candidates?.filter((one) => one.removed))
  for (const name of removed) assert.ok(!tried.includes(name) || order.includes(name), `${where}: ${name} was left out`)
  if (removed.length > 0) tally.removedSome++
  const up = order.find((name) => !down.has(name.split('/')[0] ?? ''))
  if (up === undefined) return
  const answerer = `${done.headers['x-signalbox-provider']}/${done.headers['x-signalbox-model']}`
  assert.equal(done.status, 200, `${where}\n${JSON.stringify(done.json)}`)
  assert.equal(answerer, up, where)
  tally.answered++
  if (distinct.length > 1) tally.fellOver++
  else
    assert.ok(
      String(done.headers['x-signalbox-reason']).startsWith(String(told.json.reason)),
      `${where}: ${done.headers['x-signalbox-reason']}`,
    )
}

function configOf(dice: Dice): unknown {
  const providers: Record<string, object> = {
    mistral: { baseUrl: 'http://mistral.test/v1', keys: ['env:KEY'] },
    anthropic: { baseUrl: 'http://anthropic.test/v1', keys: ['env:KEY'], region: 'us' },
  }
  for (let index = 0; index < 5; index++)
    providers[`p${index}`] = {
      preset: 'openai-compatible',
      baseUrl: `http://p${index}.test/v1`,
      ...(dice.maybe(0.6) && { region: dice.pick(['eu-west-1', 'us-east-1', 'on-prem']) }),
      ...(dice.maybe(0.5) && { trust: dice.pick(['private', 'standard']) }),
      ...(dice.maybe(0.5) && { retention: dice.pick(['zero', 'limited', 'standard', 'training']) }),
    }
  const target = (): object => {
    const [provider, model] = dice.pick([
      ['mistral', 'open-mixtral-8x7b'],
      ['anthropic', 'claude-sonnet-4-5'],
      ['p0', 'm'],
      ['p1', 'm'],
      ['p2', 'm'],
      ['p3', 'm'],
      ['p4', 'm'],
    ])
    return {
      provider,
      model,
      weight: 1 + Math.floor(dice() * 5),
      ...(dice.maybe(0.5) && { price: { input: Math.round(dice() * 500) / 100, output: Math.round(dice() * 2000) / 100 } }),
      ...(dice.maybe(0.2) && { when: dice.pick(['metadata.team == "a"', '"paid" in tags', 'request.tokens < 500', '!request.tools']) }),
    }
  }
  const strategy = (): string =>
    dice.pick(['priority', 'weighted', 'round-robin', 'least-latency', 'cheapest', 'least-busy', 'adaptive', 'sticky'])
  const targets = (): object[] => Array.from({ length: 1 + Math.floor(dice() * 4) }, target)
  return {
    defaults: { retries: { attempts: 1 }, breaker: { enabled: dice.maybe(0.7) } },
    providers,
    models: {
      inner: { strategy: strategy(), targets: targets() },
      other: {
        strategy: strategy(),
        targets: targets(),
        ...(dice.maybe(0.3) && { constraints: { providers: { deny: [dice.pick(['p0', 'p1', 'anthropic'])] } } }),
      },
      main: {
        strategy: strategy(),
        targets: dice.maybe(0.4) ? [...targets(), { route: 'inner', weight: 2 }] : targets(),
        ...(dice.maybe(0.5) && { fallback: ['other'] }),
        ...(dice.maybe(0.2) && {
          constraints: dice.pick([{ region: 'eu' }, { trust: 'private' }, { maxPrice: { output: 12 } }, { retention: 'standard' }]),
        }),
        ...(dice.maybe(0.2) && { prefer: dice.pick(['cost', 'cost;q=0.5, latency;q=0.5', 'region=eu']) }),
      },
      ranked: { pool: { category: 'chat' }, targets: targets() },
    },
    ...(dice.maybe(0.5) && { tiers: { premium: { models: ['main'], next: 'free' }, free: { models: ['other', 'ranked'] } } }),
  }
}

interface Call {
  readonly dialect?: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: object
}

function callOf(dice: Dice): Required<Call> {
  const model = dice.pick(['main', 'main', 'main', 'other', 'ranked', 'p0/x', 'mistral/open-mixtral-8x7b', 'main:floor', 'nobody'])
  const text = dice.maybe(0.15) ? 'word '.repeat(50_000) : dice.maybe(0.3) ? 'word '.repeat(700) : 'Hello'
  const headers: Record<string, string> = {}
  const say = (share: number, name: string, values: readonly string[]): void => {
    if (dice.maybe(share)) headers[`x-signalbox-${name}`] = dice.pick(values)
  }
  say(0.15, 'require', [
    'vision',
    'context>=64k, tools',
    'region=eu|us',
    'trust=private',
    'output_price<=10',
    'provider!=p0',
    'retention=limited',
  ])
  say(0.15, 'prefer', ['cost', 'latency;q=0.4, cost;q=0.6', 'context', 'trust=private;q=0.7, cost;q=0.2', 'vision'])
  say(0.1, 'region', ['eu', 'us'])
  say(0.1, 'max-cost', ['0.001', '0.05'])
  say(0.2, 'metadata', ['{"team":"a"}', '{"team":"b","tags":["paid"]}'])
  say(0.1, 'session', ['s1', 's2'])
  const image = dice.maybe(0.15)
  const tools = dice.maybe(0.2)
  if (dice.maybe(0.3) && !model.includes(':')) {
    const content = image
      ? [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }]
      : [{ type: 'text', text }]
    const body = {
      model,
      max_tokens: 64,
      messages: [{ role: 'user', content }],
      ...(tools && { tools: [{ name: 'f', description: 'f', input_schema: { type: 'object', properties: {} } }] }),
    }
    return { dialect: 'anthropic-messages', path: '/v1/messages', headers: { ...headers, 'anthropic-version': '2023-06-01' }, body }
  }
  const content = image ? [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }] : text
  const body = {
    model,
    messages: [{ role: 'user', content }],
    ...(tools && { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }] }),
    ...(dice.maybe(0.1) && { logprobs: true }),
    ...(dice.maybe(0.15) && { models: ['other', 'nobody/x', 'p4/y'] }),
    ...(dice.maybe(0.15) && {
      provider: dice.pick<object>([
        { order: ['p3', 'p1'] },
        { only: ['p0', 'p1', 'mistral'] },
        { ignore: ['p0'] },
        { sort: 'price' },
        { max_price: { completion: 10 } },
      ]),
    }),
    ...(dice.maybe(0.1) && { fallbacks: ['ranked'] }),
  }
  return { dialect: 'openai-chat', path: '/v1/chat/completions', headers, body }
}

function scripted(down: ReadonlySet<string>, tried: string[]): Transport {
  return {
    async send({ url, body }) {
      const host = new URL(url).host.replace(/\.test$/, '')
      const { model } = JSON.parse(String(body))
      tried.push(`${host}/${model}`)
      const bytes = new TextEncoder().encode(JSON.stringify(down.has(host) ? { error: { message: 'down' } } : answerOf(url, model)))
      return {
        status: down.has(host) ? 503 : 200,
        headers: { 'content-type': 'application/json' },
        body: (async function* () {
          yield bytes
        })(),
      }
    },
    async close() {},
  }
}

function answerOf(url: string, model: string): object {
  if (url.includes('/messages'))
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 },
    }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  }
}
