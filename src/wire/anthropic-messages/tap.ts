/** Watching a same-wire stream, and reading a whole answer that goes out as it is. */
import { GatewayError } from '../../core/error.ts'
import { isObject, type Json, type JsonObject, objectOf, parseJson, stringOf } from '../../core/json.ts'
import { providerErrorOf, toldError } from '../provider-error.ts'
import type { SseFrame } from '../sse.ts'
import { type FrameNews, SseTap, type TapReader } from '../tap.ts'
import type { ReplySummary, StreamTap, TapOptions } from '../wire.ts'
import { finishOf } from './finish.ts'
import { mergedRaw, usageOf } from './usage.ts'

/** Bytes of a delta's frame around its text. */
const OVERHEAD = 120

export const streamTap = (options: TapOptions): StreamTap => new SseTap(new Reader(), options)

/** Keeps what was said of usage, since a later frame replaces single numbers of it. */
class Reader implements TapReader {
  readonly telling = /"(?:message_start|message_delta|message_stop|error)"/
  readonly overhead = OVERHEAD
  #usage: JsonObject | undefined
  #calls = 0

  read({ data }: SseFrame): FrameNews {
    const frame = parseJson(data)
    if (!isObject(frame)) return {}
    switch (frame['type']) {
      case 'message_start': {
        const message = objectOf(frame['message']) ?? {}
        this.#usage = mergedRaw(undefined, message['usage'])
        const said = usageOf(this.#usage)
        return { id: stringOf(message['id']), model: stringOf(message['model']), usage: said && { ...said, output: undefined } }
      }
      case 'content_block_start':
        if (objectOf(frame['content_block'])?.['type'] === 'tool_use') this.#calls++
        return { output: true }
      case 'content_block_delta':
        return { output: true }
      case 'message_delta': {
        this.#usage = mergedRaw(this.#usage, frame['usage'])
        const reason = objectOf(frame['delta'])?.['stop_reason']
        return { usage: usageOf(this.#usage), finish: reason ? finishOf(reason, this.#calls) : undefined }
      }
      case 'message_stop':
        return { finished: true }
      case 'error':
        return { error: toldError(frame) }
      default:
        return frame['type'] === undefined && frame['error'] !== undefined ? { error: toldError(frame) } : {}
    }
  }
}

/** What a whole answer says of itself. Throws what is wrong with it. */
export function summarize(body: Json): ReplySummary {
  if (!isObject(body) || !Array.isArray(body['content'])) {
    if (isObject(body) && (body['type'] === 'error' || body['error'] !== undefined) && providerErrorOf(body)) throw toldError(body)
    throw new GatewayError('upstream-invalid', "The provider's answer is not a message.")
  }
  const content = body['content'] as readonly Json[]
  const calls = content.filter((block) => isObject(block) && block['type'] === 'tool_use').length
  return {
    id: stringOf(body['id']),
    model: stringOf(body['model']),
    finish: finishOf(body['stop_reason'], calls),
    usage: usageOf(objectOf(body['usage'])),
    outputs: content.length,
    characters: content.reduce<number>((sum, block) => sum + charactersOf(block), 0),
  }
}

function charactersOf(block: Json): number {
  if (!isObject(block)) return 0
  const { text, thinking, input } = block
  return (stringOf(text)?.length ?? 0) + (stringOf(thinking)?.length ?? 0) + (input === undefined ? 0 : JSON.stringify(input).length)
}
