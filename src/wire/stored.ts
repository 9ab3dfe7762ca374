/** What a request refers to but does not hold: things that only the provider who stored them can look up. */
import type { ChatCall, ForeignPart, WireId } from '../core/call.ts'
import { GatewayError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'

/** Members of the body, by the wire that has them. `background` counts when it is switched on. */
const MEMBERS: { readonly [Id in WireId]?: readonly string[] } = {
  'openai-responses': ['previous_response_id', 'conversation', 'prompt', 'background'],
  gemini: ['cachedContent', 'cached_content'],
  'anthropic-messages': ['thread'],
}

/** Anthropic's tool runner falls back to whole conversations when it reads this. */
const SAID_TO_SDK: Readonly<Record<string, JsonObject>> = { thread: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } }

/** Items of a conversation that stand for something stored or sealed as a whole. */
const ITEMS = new Set(['item_reference', 'compaction', 'container_upload'])

/**
 * Refuses a call that leans on what another vendor stores: without it the conversation would be a different one, so to
 * drop it and go on would answer another question. Encoders call it first.
 */
export function refuseStored(call: ChatCall, target: WireId): void {
  if (call.wire === target) return
  for (const name of MEMBERS[call.wire] ?? []) {
    const value = call.extras?.[name]
    if (value !== undefined && value !== null && value !== false)
      throw new GatewayError(
        'untranslatable',
        `${name} refers to what only its own provider stores; send the whole conversation instead.`,
        {
          path: name,
          shouldRetry: false,
          details: SAID_TO_SDK[name],
        },
      )
  }
  for (const { parts } of call.messages)
    for (const part of parts)
      if (part.type === 'foreign' && stored(part, target))
        throw untranslatable(`${part.kind} can only be read by the provider who stored it.`, part.path)
}

const stored = (part: ForeignPart, target: WireId): boolean => part.wire !== target && ITEMS.has(part.kind)

/** A refusal of what no translation can carry. */
export const untranslatable = (message: string, path: string): GatewayError =>
  new GatewayError('untranslatable', message, { path, shouldRetry: false })
