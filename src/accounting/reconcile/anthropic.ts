/** Anthropic's usage and cost reports (Admin API): tokens by model and class of service, costs by description, by the day. */
import { arrayOf, isObject, type JsonObject, numberOf, objectOf, stringOf } from '../../core/json.ts'
import { amountOf } from './amount.ts'
import { fetchPages, type Reading, reportUrl } from './fetch-pages.ts'
import { dayOf, type Period, type StatementRow, type StatementSource } from './statement.ts'

export interface AnthropicStatement extends Reading {
  readonly name: string
  readonly providers: readonly string[]
  /** Default `https://api.anthropic.com/v1`. */
  readonly baseUrl?: string
  /** An admin key (`sk-ant-admin…`); read anew for each report, so that it can be rotated. */
  adminKey(): string | Promise<string>
  /** Only these workspaces, by id; `default` for the one without. Absent: the whole organisation. */
  readonly workspaces?: readonly string[] | undefined
  /** Only these keys, by id. Costs are not told by key, so only tokens are compared then. */
  readonly apiKeys?: readonly string[] | undefined
}

const VERSION = '2023-06-01'

export function anthropicStatement(options: AnthropicStatement): StatementSource {
  const { name, providers, baseUrl = 'https://api.anthropic.com/v1', workspaces, apiKeys = [] } = options

  async function buckets(path: string, groups: readonly string[], { from, to }: Period, more: readonly (readonly [string, string])[] = []) {
    const url = reportUrl(baseUrl, path, [
      ['starting_at', new Date(from).toISOString()],
      ['ending_at', new Date(to).toISOString()],
      ['bucket_width', '1d'],
      ...groups.map((group) => ['group_by[]', group] as const),
      ['limit', 31],
      ...more,
    ])
    return await fetchPages(url, { 'x-api-key': await options.adminKey(), 'anthropic-version': VERSION }, options)
  }

  const wanted = (result: JsonObject): boolean => !workspaces || workspaces.includes(stringOf(result['workspace_id']) ?? 'default')

  return {
    name,
    providers,
    async read(period) {
      const used = await buckets(
        'organizations/usage_report/messages',
        ['model', 'service_tier', 'workspace_id'],
        period,
        apiKeys.map((id) => ['api_key_ids[]', id] as const),
      )
      const rows: StatementRow[] = []
      /** Model and day of calls whose tokens were paid for beforehand: the cost report leaves them out. */
      const prepaid = new Set<string>()
      for (const { day, result } of resultsOf(used)) {
        const row = wanted(result) ? usageRow(result, day) : undefined
        if (!row) continue
        rows.push(row)
        if (stringOf(result['service_tier']) === 'priority') prepaid.add(`${day}\n${row.model}`)
      }
      const notes: string[] = []
      if (apiKeys.length > 0) notes.push('costs are not told by key: only tokens are compared')
      else {
        const costs = await buckets('organizations/cost_report', ['description', 'workspace_id'], period)
        for (const { day, result } of resultsOf(costs)) {
          const row = wanted(result) ? costRow(result, day) : undefined
          if (row && !(row.model !== undefined && prepaid.has(`${day}\n${row.model}`))) rows.push(row)
        }
      }
      if (prepaid.size > 0)
        notes.push('calls of the Priority Tier are not in the cost report: their models are compared by tokens on those days')
      return { rows, notes }
    },
  }
}

function* resultsOf(buckets: readonly JsonObject[]): Iterable<{ readonly day: string; readonly result: JsonObject }> {
  for (const bucket of buckets) {
    const start = Date.parse(stringOf(bucket['starting_at']) ?? '')
    if (Number.isNaN(start)) continue
    for (const result of arrayOf(bucket['results'])) if (isObject(result)) yield { day: dayOf(start), result }
  }
}

function usageRow(result: JsonObject, day: string): (StatementRow & { readonly model: string }) | undefined {
  const model = stringOf(result['model'])
  if (model === undefined) return undefined
  const created = objectOf(result['cache_creation'])
  const written = (numberOf(created?.['ephemeral_5m_input_tokens']) ?? 0) + (numberOf(created?.['ephemeral_1h_input_tokens']) ?? 0)
  const read = numberOf(result['cache_read_input_tokens']) ?? 0
  return {
    model,
    day,
    inputTokens: (numberOf(result['uncached_input_tokens']) ?? 0) + read + written,
    outputTokens: numberOf(result['output_tokens']) ?? 0,
    cacheReadTokens: read,
    cacheWriteTokens: written,
  }
}

/** Amounts are in cents. */
function costRow(result: JsonObject, day: string): StatementRow | undefined {
  const cost = amountOf(result['amount'], 100)
  if (cost === undefined) return undefined
  const model = stringOf(result['model'])
  const item = stringOf(result['cost_type']) ?? stringOf(result['description']) ?? 'costs without a description'
  return { ...(model === undefined ? { item } : { model }), day, cost, rounding: 1n }
}
