/** Thoughts that a client kept as they were streamed: words in many parts, perhaps in many turns, and what seals them at the end. */
import type { Message, Part, ReasoningPart } from '../../core/call.ts'
import { isGoogle } from './sealed.ts'

/**
 * One thought again where another vendor sealed it: that vendor wants the words and the seal together. Google's own stay
 * as they are.
 */
export function withWholeThoughts(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(({ parts }) => parts.some(isForeign))) return messages
  const joined = new Set<Part>()
  const whole = new Map<Part, Part>()
  let open: ReasoningPart[] = []
  for (const { role, parts } of messages) {
    if (role !== 'assistant') open = []
    for (const part of parts) {
      if (part.type !== 'reasoning') open = []
      else if (isForeign(part)) {
        if (open.length > 0) whole.set(part, { ...part, text: [...open, part].map(({ text }) => text).join('') })
        for (const piece of open) joined.add(piece)
        open = []
      } else if (part.sealed) open = []
      else open.push(part)
    }
  }
  return messages.map((message) => ({
    ...message,
    parts: message.parts.filter((part) => !joined.has(part)).map((part) => whole.get(part) ?? part),
  }))
}

const isForeign = (part: Part): boolean => part.type === 'reasoning' && part.sealed?.some((sealed) => !isGoogle(sealed)) === true
