/** The object around the output: what the call asked, told back as OpenAI does, and how it ended. */
import type { ChatCall } from '../../core/call.ts'
import type { Finish, Usage } from '../../core/event.ts'
import { compact, type Json, type JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import type { ReplyContext } from '../wire.ts'
import { encodeToolChoice, encodeTools } from './encode-tools.ts'
import { encodeText } from './encode-wishes.ts'
import { namesOf } from './names.ts'
import { topExtras } from './nested.ts'

/** The call is told back as it was asked, whoever answers it. */
const ASKED: Target = { provider: '', model: '', wire: 'openai-responses', capabilities: {}, quirks: {} }

/** What the answer repeats of the call. */
export function echoOf(call: ChatCall): JsonObject {
  const { settings, reasoning } = call
  const notes = new Notes()
  const names = namesOf(call)
  const { tools } = encodeTools(call, ASKED, names, notes)
  const [first] = call.messages
  const instructions = first?.path === 'instructions' && first.parts[0]?.type === 'text' ? first.parts[0].text : null
  const { text } = encodeText(call, ASKED, settings.verbosity, notes)
  const extras = topExtras(call.wire === 'openai-responses' ? call.extras : undefined)
  return {
    background: false,
    instructions,
    max_output_tokens: settings.maxTokens ?? null,
    max_tool_calls: extras['max_tool_calls'] ?? null,
    metadata: settings.metadata ?? {},
    parallel_tool_calls: settings.parallelTools ?? true,
    previous_response_id: null,
    prompt_cache_key: settings.promptCacheKey ?? null,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.own?.['summary'] ?? null },
    safety_identifier: call.paths.user === 'safety_identifier' ? (settings.user ?? null) : null,
    // The gateway keeps nothing that could be asked for again.
    store: false,
    temperature: settings.temperature ?? null,
    text: { format: { type: 'text' }, ...text },
    tool_choice: encodeToolChoice(call, tools, ASKED, names, notes) ?? 'auto',
    tools,
    top_logprobs: settings.topLogprobs ?? 0,
    top_p: settings.topP ?? null,
    truncation: extras['truncation'] ?? 'disabled',
    user: call.paths.user === 'user' ? (settings.user ?? null) : null,
  }
}

export const responseId = (id: string | undefined, context: ReplyContext): string => {
  const known = id ?? context.id
  return known.startsWith('resp') ? known : `resp_${known}`
}

export interface Status {
  readonly status: 'completed' | 'incomplete'
  readonly incomplete_details: JsonObject | null
}

export function statusOf(finish: Finish | undefined): Status {
  if (finish === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  if (finish === 'filter') return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
  return { status: 'completed', incomplete_details: null }
}

/** SDKs read numbers here; null when nobody counted. */
export function encodeUsage(usage: Usage | undefined, cost: string | undefined): Json {
  if (!usage || (usage.input === undefined && usage.output === undefined)) return null
  const { input = 0, output = 0, cacheRead = 0, cacheWrite, cacheWrite1h, reasoning = 0 } = usage
  const dollars = cost === undefined ? undefined : Number(cost)
  return compact({
    input_tokens: input,
    input_tokens_details: compact({
      cached_tokens: cacheRead,
      cache_write_tokens: cacheWrite,
      cache_write_tokens_details:
        cacheWrite === undefined || cacheWrite1h === undefined ? undefined : { ttl_30m: cacheWrite - cacheWrite1h, ttl_12h: cacheWrite1h },
    }),
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
    cost: dollars !== undefined && Number.isFinite(dollars) ? dollars : undefined,
  })
}
