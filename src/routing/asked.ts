/** What strategies may know of a call. Cheap to make: what few of them ask for is worked out only then. */
import type { WireId } from '../core/call.ts'
import { isFilled, isNumber, isObject, type JsonObject } from '../core/json.ts'

export interface Asked {
  /** The caller's dialect. */
  readonly wire: WireId
  readonly streamed: boolean
  /** Estimated. */
  readonly inputTokens: number
  /** The most tokens of output that the caller takes, where it says. */
  readonly maxOutput: number | undefined
  /** What holds a conversation together, where the caller says. */
  readonly session: string | undefined
}

const CHARACTERS_PER_TOKEN = 4

/** `text` is the request's body, `session` what the caller said in its header. */
export function askedOf(call: { wire: WireId; streamed: boolean; json: JsonObject; text: string }, session?: string): Asked {
  return new LazyAsked(call.wire, call.streamed, Math.ceil(call.text.length / CHARACTERS_PER_TOKEN), call.json, session)
}

class LazyAsked implements Asked {
  readonly wire: WireId
  readonly streamed: boolean
  readonly inputTokens: number
  readonly #json: JsonObject
  readonly #session: string | undefined

  constructor(wire: WireId, streamed: boolean, inputTokens: number, json: JsonObject, session: string | undefined) {
    this.wire = wire
    this.streamed = streamed
    this.inputTokens = inputTokens
    this.#json = json
    this.#session = session
  }

  get maxOutput(): number | undefined {
    const json = this.#json
    const config = json['generationConfig']
    const told = isObject(config)
      ? config['maxOutputTokens']
      : (json['max_completion_tokens'] ?? json['max_output_tokens'] ?? json['max_tokens'])
    return isNumber(told) && told > 0 ? told : undefined
  }

  get session(): string | undefined {
    if (this.#session !== undefined) return this.#session
    const json = this.#json
    const { metadata } = json
    const told = [json['prompt_cache_key'], json['user'], json['safety_identifier'], isObject(metadata) ? metadata['user_id'] : undefined]
    return told.find(isFilled)
  }
}
