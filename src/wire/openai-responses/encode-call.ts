/** A call, as a Responses body for a provider. */
import type { ChatCall } from '../../core/call.ts'
import { compact, type JsonObject } from '../../core/json.ts'
import { type Notes, settingsOf } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { refuseStored } from '../stored.ts'
import type { EncodedCall } from '../wire.ts'
import { encodeInput, saysJson } from './encode-items.ts'
import { encodeToolChoice, encodeTools } from './encode-tools.ts'
import { encodeInclude, encodeReasoning, encodeSettings, encodeText } from './encode-wishes.ts'
import { namesOf } from './names.ts'
import { nestedExtras, topExtras } from './nested.ts'

const WIRE = 'openai-responses'
/** Fields that Chat has under the same name and meaning. */
const SHARED_WITH_CHAT = new Set(['prompt_cache_options', 'prompt_cache_retention', 'safety_identifier', 'moderation'])

export function encodeCall(call: ChatCall, target: Target, notes: Notes): EncodedCall {
  refuseStored(call, WIRE)
  const own = call.wire === WIRE
  const settings = settingsOf(call, notes)
  const names = namesOf(call)
  const { tools, additional } = encodeTools(call, target, names, notes)
  const { instructions, input } = encodeInput({ call, target, notes, names, additional })

  const modalities = settings.take('modalities')
  if (modalities?.some((one) => one.toLowerCase() !== 'text')) notes.dropped(settings.pathOf('modalities'), 'answers are text here')
  const logprobs = settings.take('logprobs')
  const values = encodeSettings(call, target, settings, notes)
  const { text, instruction } = encodeText(call, target, settings.take('verbosity'), notes)
  settings.rest()
  if (call.cache) notes.dropped(call.cache.path, 'prompts are cached without marks')

  // A plain JSON answer is refused unless some text speaks of JSON.
  const wished = instruction ?? (call.format?.type === 'json' && !own && !saysJson(call) ? 'Answer with JSON.' : undefined)
  const body = compact({
    model: target.model,
    instructions: wished === undefined ? instructions : [instructions, wished].filter(Boolean).join('\n\n'),
    input: own && call.messages.every(({ path }) => path === 'instructions') ? undefined : input,
    stream: call.stream || undefined,
    stream_options: own ? filled(nestedExtras(call.extras, 'stream_options')) : undefined,
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: encodeToolChoice(call, [...tools, ...additional.values()], target, names, notes),
    ...values,
    text,
    reasoning: encodeReasoning(call, target, notes),
    ...restOf(call, notes),
    include: encodeInclude(call, target, logprobs),
  })
  const restore = names.restoration()
  return { body: body as JsonObject, ...(restore && { restore }) }
}

const filled = (members: JsonObject): JsonObject | undefined => (Object.keys(members).length > 0 ? members : undefined)

/** Members that nobody else read. */
function restOf(call: ChatCall, notes: Notes): JsonObject {
  if (call.wire === WIRE) return topExtras(call.extras)
  if (call.wire !== 'openai-chat' || !call.extras) {
    notes.extrasOf(call, call, WIRE)
    return {}
  }
  const entries = Object.entries(call.extras)
  const shared = entries.filter(([key]) => SHARED_WITH_CHAT.has(key))
  notes.extrasOf({ path: '', extras: Object.fromEntries(entries.filter(([key]) => !SHARED_WITH_CHAT.has(key))) }, call, WIRE)
  return Object.fromEntries(shared)
}
