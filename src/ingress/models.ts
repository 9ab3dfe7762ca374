/** The list of models in the shape of whoever asks: OpenAI's (which Codex reads too), Anthropic's or Google's. */
import type { WireId } from '../core/call.ts'
import type { JsonObject } from '../core/json.ts'

export interface ListedModel {
  /** What the caller asks for. */
  readonly id: string
  readonly name?: string
  /** Seconds since 1970. */
  readonly created?: number
  readonly owner: string
  readonly contextWindow?: number
  readonly maxOutput?: number
  readonly reasoning?: boolean
  readonly inputModalities?: readonly string[]
  /** ISO date. */
  readonly shutdown?: string
}

export function modelList(models: readonly ListedModel[], dialect: WireId, query: string): JsonObject {
  switch (dialect) {
    case 'anthropic-messages': {
      const { page, more } = paged(models, query, 'limit', 'after_id')
      return { data: page.map(anthropicModel), has_more: more, first_id: page[0]?.id ?? null, last_id: page.at(-1)?.id ?? null }
    }
    case 'gemini': {
      const { page, more } = paged(models, query, 'pageSize', 'pageToken')
      return { models: page.map(geminiModel), ...(more ? { nextPageToken: page.at(-1)?.id } : {}) }
    }
    default: {
      const list: JsonObject = { object: 'list', data: models.map(openaiModel) }
      return /(?:^|&)client_version=/.test(query) ? { ...list, models: models.map(codexModel) } : list
    }
  }
}

export function modelCard(model: ListedModel, dialect: WireId): JsonObject {
  if (dialect === 'anthropic-messages') return anthropicModel(model)
  return dialect === 'gemini' ? geminiModel(model) : openaiModel(model)
}

function paged(
  models: readonly ListedModel[],
  query: string,
  sizeName: string,
  afterName: string,
): { page: readonly ListedModel[]; more: boolean } {
  const parameters = new URLSearchParams(query)
  const asked = Number(parameters.get(sizeName))
  const size = Number.isInteger(asked) && asked > 0 ? Math.min(asked, 1_000) : 1_000
  const after = parameters.get(afterName)
  const start = after === null ? 0 : models.findIndex(({ id }) => id === after) + 1
  return { page: models.slice(start, start + size), more: start + size < models.length }
}

const openaiModel = ({ id, created, owner, shutdown }: ListedModel): JsonObject => ({
  id,
  object: 'model',
  created: created ?? 0,
  owned_by: owner,
  ...(shutdown === undefined ? {} : { shutdown_date: shutdown }),
})

const anthropicModel = ({ id, name, created, maxOutput, contextWindow }: ListedModel): JsonObject => ({
  type: 'model',
  id,
  display_name: name ?? id,
  created_at: new Date((created ?? 0) * 1000).toISOString(),
  ...(contextWindow === undefined ? {} : { max_input_tokens: contextWindow }),
  ...(maxOutput === undefined ? {} : { max_tokens: maxOutput }),
})

const geminiModel = ({ id, name, contextWindow, maxOutput, reasoning }: ListedModel): JsonObject => ({
  name: `models/${id}`,
  version: '1',
  displayName: name ?? id,
  description: name ?? id,
  ...(contextWindow === undefined ? {} : { inputTokenLimit: contextWindow }),
  ...(maxOutput === undefined ? {} : { outputTokenLimit: maxOutput }),
  ...(reasoning === undefined ? {} : { thinking: reasoning }),
  supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
})

const CODEX_CONTEXT = 128_000

const codexModel = ({ id, name, contextWindow, inputModalities, reasoning }: ListedModel): JsonObject => ({
  slug: id,
  display_name: name ?? id,
  description: name ?? id,
  default_reasoning_level: reasoning ? 'medium' : null,
  supported_reasoning_levels: reasoning ? ['low', 'medium', 'high'].map((effort) => ({ effort, description: effort })) : [],
  shell_type: 'shell_command',
  visibility: 'list',
  supported_in_api: true,
  priority: 0,
  service_tiers: [],
  context_window: contextWindow ?? CODEX_CONTEXT,
  max_context_window: contextWindow ?? CODEX_CONTEXT,
  effective_context_window_percent: 95,
  truncation_policy: { mode: 'tokens', limit: 10_000 },
  input_modalities: (inputModalities ?? ['text']).filter((kind) => kind === 'text' || kind === 'image'),
  supports_search_tool: false,
  base_instructions: '',
  support_verbosity: false,
})
