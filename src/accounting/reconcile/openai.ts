/** OpenAI's organization reports: usage by model, costs by line item, in buckets of a day. */

import { arrayOf, isObject, type JsonObject, numberOf, objectOf, stringOf } from '../../core/json.ts'
import type { Nanos } from '../../core/money.ts'
import { amountOf } from './amount.ts'
import { fetchPages, type Reading, reportUrl } from './fetch-pages.ts'
import { dayOf, type Period, type StatementRow, type StatementSource } from './statement.ts'

export interface OpenAiStatement extends Reading {
  readonly name: string
  readonly providers: readonly string[]
  /** Default `https://api.openai.com/v1`. */
  readonly baseUrl?: string
  /** An admin key of the organisation; read anew for each report, so that it can be rotated. */
  adminKey(): string | Promise<string>
  /** Only these projects, by id. Absent: the whole organisation. */
  readonly projects?: readonly string[] | undefined
  /** Only these keys, by id. */
  readonly apiKeys?: readonly string[] | undefined
}

/** Kinds of usage that are counted in tokens. */
const KINDS = ['completions', 'embeddings'] as const

export function openAiStatement(options: OpenAiStatement): StatementSource {
  const { name, providers, baseUrl = 'https://api.openai.com/v1', projects = [], apiKeys = [] } = options

  async function buckets(path: string, groupBy: string, limit: number, { from, to }: Period): Promise<readonly JsonObject[]> {
    const url = reportUrl(baseUrl, path, [
      ['start_time', from / 1000],
      ['end_time', to / 1000],
      ['bucket_width', '1d'],
      ['group_by', groupBy],
      ['limit', limit],
      ...projects.map((id) => ['project_ids', id] as const),
      ...apiKeys.map((id) => ['api_key_ids', id] as const),
    ])
    return await fetchPages(url, { authorization: `Bearer ${await options.adminKey()}` }, options)
  }

  return {
    name,
    providers,
    async read(period) {
      const rows: StatementRow[] = []
      for (const kind of KINDS) rows.push(...(await buckets(`organization/usage/${kind}`, 'model', 31, period)).flatMap(usageRows))
      rows.push(...(await buckets('organization/costs', 'line_item', 180, period)).flatMap(costRows))
      return { rows }
    },
  }
}

const resultsOf = (bucket: JsonObject): readonly JsonObject[] => arrayOf(bucket['results'] ?? bucket['result']).filter(isObject)

const bucketDay = (bucket: JsonObject): string | undefined => {
  const start = numberOf(bucket['start_time'])
  return start === undefined ? undefined : dayOf(start * 1000)
}

function usageRows(bucket: JsonObject): StatementRow[] {
  const day = bucketDay(bucket)
  if (day === undefined) return []
  return resultsOf(bucket).flatMap((result): StatementRow[] => {
    const model = stringOf(result['model'])
    if (model === undefined) return []
    const count = (field: string): number => numberOf(result[field]) ?? 0
    const cached = numberOf(result['input_cached_tokens'])
    return [
      {
        model,
        day,
        requests: count('num_model_requests'),
        inputTokens: withSound(result, 'input'),
        outputTokens: withSound(result, 'output'),
        ...(cached !== undefined && { cacheReadTokens: cached }),
      },
    ]
  })
}

/** The total is of text alone, unless the parts that stand beside it say that it holds them all. */
function withSound(result: JsonObject, side: 'input' | 'output'): number {
  const count = (kind: string): number => numberOf(result[`${side}_${kind}tokens`]) ?? 0
  const total = count('')
  const text = numberOf(result[`${side}_text_tokens`])
  const beside = count('audio_')
  return text !== undefined && total >= text + beside && total > text ? total : total + beside
}

function costRows(bucket: JsonObject): StatementRow[] {
  const day = bucketDay(bucket)
  if (day === undefined) return []
  return resultsOf(bucket).flatMap((result): StatementRow[] => {
    const cost = amountOf(objectOf(result['amount'])?.['value'])
    return cost === undefined ? [] : [rowOfItem(stringOf(result['line_item']), day, cost)]
  })
}

function rowOfItem(item: string | undefined, day: string, cost: Nanos): StatementRow {
  const model = item === undefined ? undefined : modelOfItem(item)
  // Each line may be off by half a nano-dollar.
  return { ...(model === undefined ? { item: item ?? 'costs without a line item' } : { model }), day, cost, rounding: 1n }
}

/** `batch | gpt-5-2025-08-07, cached input`, `gpt-realtime audio, input`; undefined for what is no model. */
export function modelOfItem(item: string): string | undefined {
  const [, model] =
    /^(?:[\w -]+\| *)?([\w.:/-]*\d[\w.:/-]*|[\w.:]+-[\w.:/-]+)(?: (?:text|audio|image|video))?, *[\w ]+/.exec(item.trim()) ?? []
  return model
}
