/** Days of made-up usage, and servers that report it as OpenAI and Anthropic do. For tests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DAY_MS, dayOf, type LedgerDay } from './statement.ts'

/** What one model used on one day, and at which price: USD per million tokens, in whole nano-dollars a thousand tokens. */
export interface Used {
  readonly model: string
  readonly day: string
  readonly requests: number
  readonly plain: number
  readonly cached: number
  readonly written: number
  readonly output: number
  readonly rates: { readonly input: number; readonly cacheRead: number; readonly cacheWrite: number; readonly output: number }
}

/** The same numbers from the same seed. */
export function seeded(seed: number): (most: number) => number {
  let state = seed >>> 0
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * (most + 1))
  }
}

export function madeUp(models: Readonly<Record<string, Used['rates']>>, from: number, days: number, seed: number): Used[] {
  const upTo = seeded(seed)
  return Array.from({ length: days }, (_, index) => dayOf(from + index * DAY_MS)).flatMap((day) =>
    Object.entries(models).map(([model, rates]) => ({
      model,
      day,
      requests: 400 + upTo(600),
      plain: 2_000_000 + upTo(9_000_000),
      cached: 1_000_000 + upTo(5_000_000),
      written: upTo(500_000),
      output: 500_000 + upTo(2_000_000),
      rates,
    })),
  )
}

/** Rates are USD per million: thousandths of a nano-dollar a token, so that all is whole. */
const nanosOf = (tokens: number, rate: number): bigint => (BigInt(tokens) * BigInt(Math.round(rate * 1e6)) + 500n) / 1000n

export const costOfUsed = ({ plain, cached, written, output, rates }: Used): bigint =>
  nanosOf(plain, rates.input) + nanosOf(cached, rates.cacheRead) + nanosOf(written, rates.cacheWrite) + nanosOf(output, rates.output)

export const ledgerDay = (provider: string, used: Used, name: (model: string) => string = (model) => model): LedgerDay => ({
  provider,
  model: name(used.model),
  day: used.day,
  // Refused and failed calls are in the ledger too.
  requests: used.requests + 7,
  inputTokens: used.plain + used.cached + used.written,
  outputTokens: used.output,
  cacheReadTokens: used.cached,
  cacheWriteTokens: used.written,
  cost: costOfUsed(used),
  estimated: 0,
  unpriced: 0,
})

export interface FakeProvider {
  /** Ends with `/v1`. */
  readonly baseUrl: string
  readonly requests: readonly { readonly path: string; readonly headers: IncomingMessage['headers'] }[]
  close(): Promise<void>
}

type Answer = (url: URL) => object | { readonly status: number; readonly body: object }

async function serve(answer: Answer, admitted: (request: IncomingMessage) => boolean, stumbles: number): Promise<FakeProvider> {
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = []
  let left = stumbles
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push({ path: request.url ?? '', headers: request.headers })
    const say = (status: number, body: object, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    }
    if (!admitted(request)) return say(401, { error: { message: 'Incorrect API key provided: sk-wrong-1234.' } })
    if (left-- > 0) return say(429, { error: { message: 'slow down' } }, { 'retry-after': '0' })
    say(200, answer(new URL(request.url ?? '', 'http://127.0.0.1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Buckets of the days asked for, a few to a page. */
function pageOf<T>(
  url: URL,
  from: number,
  to: number,
  perPage: number,
  bucketOf: (at: number) => T,
): { data: T[]; has_more: boolean; next_page: string | null } {
  const first = Number(/^page_(\d+)$/.exec(url.searchParams.get('page') ?? '')?.[1] ?? from)
  const data: T[] = []
  let at = first
  for (; at < to && data.length < perPage; at += DAY_MS) data.push(bucketOf(at))
  return at < to ? { data, has_more: true, next_page: `page_${at}` } : { data, has_more: false, next_page: null }
}

/** Money as OpenAI writes it: a number of dollars. */
const dollars = (nanos: bigint): number => Number(nanos) / 1e9

export function fakeOpenAi(used: () => readonly Used[], { key = 'sk-admin-right', stumbles = 0 } = {}): Promise<FakeProvider> {
  return serve(
    (url) => {
      const [from, to] = ['start_time', 'end_time'].map((name) => Number(url.searchParams.get(name)) * 1000) as [number, number]
      const bucket = (results: (own: readonly Used[]) => object[]) => (at: number) => ({
        object: 'bucket',
        start_time: at / 1000,
        end_time: (at + DAY_MS) / 1000,
        results: results(used().filter(({ day }) => day === dayOf(at))),
      })
      if (url.pathname.endsWith('/organization/usage/completions') && url.searchParams.get('group_by') === 'model')
        return {
          object: 'page',
          ...pageOf(
            url,
            from,
            to,
            3,
            bucket((own) => own.map(openAiUsage)),
          ),
        }
      if (url.pathname.endsWith('/organization/costs') && url.searchParams.get('group_by') === 'line_item')
        return {
          object: 'page',
          ...pageOf(
            url,
            from,
            to,
            2,
            bucket((own) => own.flatMap(openAiCosts)),
          ),
        }
      return { object: 'page', data: [], has_more: false, next_page: null }
    },
    ({ headers }) => headers.authorization === `Bearer ${key}`,
    stumbles,
  )
}

const openAiUsage = ({ model, requests, plain, cached, written, output }: Used): object => ({
  object: 'organization.usage.completions.result',
  input_tokens: plain + cached + written,
  output_tokens: output,
  input_cached_tokens: cached,
  input_audio_tokens: 0,
  output_audio_tokens: 0,
  num_model_requests: requests,
  project_id: null,
  user_id: null,
  api_key_id: null,
  model,
  batch: null,
})

const openAiCosts = ({ model, plain, cached, written, output, rates }: Used): object[] =>
  (
    [
      ['input', nanosOf(plain, rates.input)],
      ['cached input', nanosOf(cached, rates.cacheRead)],
      ['cache write input', nanosOf(written, rates.cacheWrite)],
      ['output', nanosOf(output, rates.output)],
    ] as const
  ).map(([what, nanos]) => ({
    object: 'organization.costs.result',
    amount: { value: dollars(nanos), currency: 'usd' },
    line_item: `${model}, ${what}`,
    project_id: null,
    organization_id: 'org-made-up',
  }))

/** Searches, in hundredths of a cent, of each day. */
export function fakeAnthropic(used: () => readonly Used[], { key = 'sk-ant-admin-right', searches = 0n } = {}): Promise<FakeProvider> {
  return serve(
    (url) => {
      const [from, to] = ['starting_at', 'ending_at'].map((name) => Date.parse(url.searchParams.get(name) ?? '')) as [number, number]
      const groups = url.searchParams.getAll('group_by[]')
      const bucket = (results: (own: readonly Used[]) => object[]) => (at: number) => ({
        starting_at: new Date(at).toISOString(),
        ending_at: new Date(at + DAY_MS).toISOString(),
        results: results(used().filter(({ day }) => day === dayOf(at))),
      })
      if (url.pathname.endsWith('/organizations/usage_report/messages') && groups.includes('model'))
        return pageOf(
          url,
          from,
          to,
          4,
          bucket((own) => own.map(anthropicUsage)),
        )
      if (url.pathname.endsWith('/organizations/cost_report') && groups.includes('description'))
        return pageOf(
          url,
          from,
          to,
          5,
          bucket((own) => [...own.flatMap(anthropicCosts), ...(searches > 0n ? [searchCost(searches)] : [])]),
        )
      return { data: [], has_more: false, next_page: null }
    },
    ({ headers }) => headers['x-api-key'] === key && headers['anthropic-version'] !== undefined,
    0,
  )
}

const anthropicUsage = ({ model, plain, cached, written, output }: Used): object => ({
  uncached_input_tokens: plain,
  cache_creation: { ephemeral_1h_input_tokens: Math.floor(written / 3), ephemeral_5m_input_tokens: written - Math.floor(written / 3) },
  cache_read_input_tokens: cached,
  output_tokens: output,
  server_tool_use: { web_search_requests: 0 },
  api_key_id: null,
  workspace_id: null,
  model,
  service_tier: 'standard',
  context_window: null,
})

/** Cents as a decimal text. */
const cents = (nanos: bigint): string => `${nanos / 10_000_000n}.${(nanos % 10_000_000n).toString().padStart(7, '0')}`

const costItem = (model: string | null, type: string, token: string | null, nanos: bigint): object => ({
  currency: 'USD',
  amount: cents(nanos),
  workspace_id: null,
  description: `${model ?? 'Web search'} usage - ${token ?? type}`,
  cost_type: type,
  context_window: model === null ? null : '0-200k',
  model,
  service_tier: model === null ? null : 'standard',
  token_type: token,
})

const searchCost = (nanos: bigint): object => costItem(null, 'web_search', null, nanos)

const anthropicCosts = ({ model, plain, cached, written, output, rates }: Used): object[] => [
  costItem(model, 'tokens', 'uncached_input_tokens', nanosOf(plain, rates.input)),
  costItem(model, 'tokens', 'cache_read_input_tokens', nanosOf(cached, rates.cacheRead)),
  costItem(model, 'tokens', 'cache_creation.ephemeral_5m_input_tokens', nanosOf(written, rates.cacheWrite)),
  costItem(model, 'tokens', 'output_tokens', nanosOf(output, rates.output)),
]
