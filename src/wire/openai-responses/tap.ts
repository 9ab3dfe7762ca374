/** What an event that passes untouched says for accounting and safety. */
import { GatewayError } from '../../core/error.ts'
import { arrayOf, isObject, type JsonObject, parseJson, stringOf } from '../../core/json.ts'
import { toldError } from '../provider-error.ts'
import type { SseFrame } from '../sse.ts'
import { type FrameNews, SseTap, type TapReader } from '../tap.ts'
import type { StreamTap, TapOptions } from '../wire.ts'
import { endingOf, errorOf, usageOf } from './read-answer.ts'

const CALLS = new Set(['function_call', 'custom_tool_call'])

function read({ event, data }: SseFrame): FrameNews {
  if (data.trim() === '[DONE]') return {}
  const value = parseJson(data)
  if (!isObject(value)) return event === 'error' ? { error: toldError(data) } : {}
  const type = stringOf(value['type']) ?? event ?? ''
  if (type === 'error' || event === 'error' || (type === '' && value['error'])) return { error: toldError(value) }
  const response = isObject(value['response']) ? value['response'] : undefined
  if (!response) return { output: type.startsWith('response.') }
  const about = aboutOf(response)
  switch (type) {
    case 'response.completed':
    case 'response.incomplete': {
      const error = errorOf(response)
      if (error) return { ...about, error }
      const usage = usageOf(response)
      const calls = arrayOf(response['output']).some((item) => isObject(item) && CALLS.has(stringOf(item['type']) ?? ''))
      const { finish } = endingOf(type === 'response.incomplete' ? { status: 'incomplete', ...response } : response, calls)
      return { ...about, ...(usage && { usage }), finish, finished: true }
    }
    case 'response.failed':
    case 'response.cancelled':
      return { ...about, error: errorOf(response) ?? new GatewayError('upstream-failed', 'The provider failed to answer.') }
    default:
      return about
  }
}

function aboutOf(response: JsonObject): FrameNews {
  const id = stringOf(response['id'])
  const model = stringOf(response['model'])
  return { ...(id && { id }), ...(model && { model }) }
}

const reader: TapReader = {
  telling:
    /"response\.(?:created|queued|in_progress|completed|incomplete|failed|cancelled)"|"type"\s*:\s*"error"|event:\s*error|"error"\s*:\s*[{"]|"keepalive"/,
  read,
  overhead: 220,
}

export const streamTap = (_target: unknown, options: TapOptions): StreamTap => new SseTap(reader, options)
