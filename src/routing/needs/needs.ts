/** What a request needs of the model that answers it, read from its body without decoding it. */

import type { Feature } from '../../core/features.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import { anthropicNeeds } from './anthropic-messages.ts'
import { geminiNeeds } from './gemini.ts'
import { openaiChatNeeds } from './openai-chat.ts'
import { openaiResponsesNeeds } from './openai-responses.ts'

export interface Needs {
  /** Without these the request cannot be served. */
  readonly features: ReadonlySet<Feature>
  /** Without these it is served, but with a loss: targets that have them come first. */
  readonly wishes: ReadonlySet<Feature>
  /** The most output tokens that are asked for. */
  readonly output?: number
  /** Of the request's text: no request has more tokens. Undefined: its size does not matter. */
  readonly characters?: number
}

export const noNeeds: Needs = { features: new Set(), wishes: new Set() }

/** What a dialect's reader puts its findings into. */
export interface NeedsFound {
  readonly features: Set<Feature>
  readonly wishes: Set<Feature>
  /** Whether media are to be looked for: that is what takes time. */
  readonly media: boolean
  readonly characters: number
  output?: number
}

const media: readonly Feature[] = ['image', 'pdf', 'audio', 'video']

/** With `only`, the media that are not among them need not be found. */
export function needsOf(
  { wire, json, text, streamed }: Pick<Inquiry, 'wire' | 'json' | 'text' | 'streamed'>,
  only?: ReadonlySet<Feature>,
): Needs {
  const found: NeedsFound = {
    features: new Set(),
    wishes: new Set(),
    media: !only || media.some((feature) => only.has(feature)),
    characters: text.length,
  }
  if (streamed) found.features.add('streaming')
  switch (wire) {
    case 'openai-chat':
      openaiChatNeeds(json, text, found)
      break
    case 'openai-responses':
      openaiResponsesNeeds(json, text, found)
      break
    case 'anthropic-messages':
      anthropicNeeds(json, text, found)
      break
    case 'gemini':
      geminiNeeds(json, text, found)
      break
    default:
      break
  }
  return found
}
