/**
 * Whether a body has to be written anew although its wire is the target's: it holds state that only the gateway can
 * read, it is of another shape than its path says, or its host wants things said in ways that a change of one member
 * cannot reach.
 */
import type { WireId } from '../core/call.ts'
import type { Inquiry } from '../core/inquiry.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import type { Quirks, Target } from '../core/target.ts'

export function mustRewrite({ wire, json, text }: Inquiry, { quirks }: Target): boolean {
  if (carriesOurs(wire, text)) return true
  if (wire !== 'openai-chat') return false
  // Editors send Responses bodies to the Chat path.
  if (json['messages'] === undefined && json['input'] !== undefined) return true
  return hasQuirks(quirks) && touches(json, text, quirks)
}

/** Sealed reasoning and ids that the gateway made for another vendor's answer (`wire/carrier.ts`); in Gemini's dialect they are base64. */
const carriesOurs = (wire: WireId, text: string): boolean =>
  wire === 'gemini' ? text.includes('c2J4MS') : text.includes('sbx') && (text.includes('sbx1.') || text.includes('_sbx'))

const known = new WeakMap<Quirks, boolean>()

/** Most targets have none: then the body is not looked at. */
function hasQuirks(quirks: Quirks): boolean {
  let answer = known.get(quirks)
  if (answer === undefined) {
    answer = Object.keys(quirks).length > 0
    known.set(quirks, answer)
  }
  return answer
}

function touches(json: JsonObject, text: string, quirks: Quirks): boolean {
  const { reasoning_effort: effort, response_format: format, tool_choice: choice } = json
  if (
    effort !== undefined &&
    effort !== null &&
    ((quirks.reasoningStyle !== undefined && quirks.reasoningStyle !== 'effort') ||
      (typeof effort === 'string' && quirks.efforts?.[effort] !== undefined))
  )
    return true
  if (quirks.noJsonSchema && isObject(format) && format['type'] === 'json_schema') return true
  if (quirks.toolChoiceRequired !== undefined && choice === 'required') return true
  if (quirks.imageUrlString && text.includes('"image_url"')) return true
  const history = (quirks.toolIdLength !== undefined || quirks.reasoningRequired) && text.includes('"tool_calls"')
  const thoughts =
    quirks.reasoningField !== undefined && quirks.reasoningField !== 'reasoning_content' && text.includes('"reasoning_content"')
  return history || thoughts
}
