/** What a chunk that passes untouched says for accounting and safety. */
import { isFilled, isObject, parseJson } from '../../core/json.ts'
import type { Target } from '../../core/target.ts'
import { toldError } from '../provider-error.ts'
import type { SseFrame } from '../sse.ts'
import { type FrameNews, SseTap, type TapReader } from '../tap.ts'
import type { StreamTap, TapOptions } from '../wire.ts'
import { errorIn } from './decode-reply.ts'
import { finishOf, isFailure } from './finish.ts'
import { usageOf } from './usage.ts'

/** Members of a delta that are model output when they hold something. */
const OUTPUT = [
  'content',
  'reasoning_content',
  'reasoning',
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
  'reasoning_details',
  'images',
]

const holds = (value: unknown): boolean => isFilled(value) || (Array.isArray(value) ? value.length > 0 : isObject(value))

function read({ event, data }: SseFrame, target: Target): FrameNews {
  if (data.trim() === '[DONE]') return { finished: true }
  const chunk = parseJson(data)
  if (event === 'error') return { error: toldError(chunk ?? data) }
  const error = errorIn(chunk)
  if (error) return { error }
  if (!isObject(chunk)) return {}
  const { id, model, x_groq, choices } = chunk
  const usage = usageOf(isObject(chunk['usage']) ? chunk['usage'] : isObject(x_groq) ? x_groq['usage'] : undefined, {
    reasoningOutside: target.quirks.reasoningOutsideOutput,
    serviceTier: chunk['service_tier'],
    model,
  })
  const list = Array.isArray(choices) ? choices.filter(isObject) : []
  const about = { ...(isFilled(id) && { id }), ...(isFilled(model) && { model }), ...(usage && { usage }) }
  if (list.length === 0) return { ...about, onlyUsage: usage !== undefined }
  const raw = list.map((choice) => choice['finish_reason']).find(isFilled)
  if (raw !== undefined && isFailure(raw))
    return { ...about, error: toldError({ code: raw, message: `The provider ended the answer with \`${raw}\`.` }) }
  const deltas = list.map((choice) => choice['delta'] ?? choice['message']).filter(isObject)
  const output = deltas.some((delta) => OUTPUT.some((name) => holds(delta[name])))
  if (raw === undefined) return { ...about, output }
  const calls = deltas.some((delta) => holds(delta['tool_calls']))
  return { ...about, output, finish: finishOf(raw, { calls: calls || /tool|function/.test(raw), stopSequence: false }), finished: true }
}

const reader = (target: Target): TapReader => ({
  telling: /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|\[DONE\]|"error"|"object"\s*:\s*"error"|event:\s*error/,
  read: (frame) => read(frame, target),
  overhead: 180,
  peeks: true,
})

export const streamTap = (target: Target, options: TapOptions): StreamTap => new SseTap(reader(target), options)
