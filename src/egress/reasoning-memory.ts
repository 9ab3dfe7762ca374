/**
 * A short memory of sealed reasoning, for clients that echo none of it: most Chat clients send back role, content and
 * tool calls only, and some providers refuse a tool result whose call has lost its signature. Looked up by the id of
 * the tool call, which every client must send back.
 */
import type { ChatCall, Message, Part, ReasoningPart, Sealed } from '../core/call.ts'
import type { Event } from '../core/event.ts'

interface Kept {
  /** Sealed state on the call itself (Gemini). */
  readonly onCall: readonly Sealed[]
  /** Thinking that came before it. */
  readonly before: readonly { readonly text: string; readonly summary?: boolean; readonly sealed: readonly Sealed[] }[]
  readonly at: number
}

export interface ReasoningMemory {
  /** Watches the events of one reply. */
  watch(scope: string): (events: readonly Event[]) => void
  /** The call with what its client left out. */
  recall(call: ChatCall, scope: string): ChatCall
}

export interface ReasoningMemoryOptions {
  /** Default 10 000 tool calls. */
  readonly maxEntries?: number
  /** Default one hour. */
  readonly ttlMs?: number
  readonly now?: () => number
}

export function reasoningMemory({ maxEntries = 10_000, ttlMs = 3_600_000, now = Date.now }: ReasoningMemoryOptions = {}): ReasoningMemory {
  // In the order of their making, so that the first is the oldest.
  const kept = new Map<string, Kept>()
  const keyOf = (scope: string, id: string): string => `${scope}\n${id}`
  const keep = (key: string, entry: Kept): void => {
    kept.delete(key)
    kept.set(key, entry)
    if (kept.size > maxEntries) for (const oldest of kept.keys()) return void kept.delete(oldest)
  }

  return {
    watch(scope) {
      const thoughts = new Map<number, { text: string; summary?: boolean; sealed: Sealed[] }>()
      const calls = new Map<number, { id: string; sealed: Sealed[] }>()
      let before: { text: string; summary?: boolean; sealed: Sealed[] }[] = []
      return (events) => {
        for (const event of events) {
          switch (event.type) {
            case 'part-start':
              if (event.kind === 'reasoning') {
                const thought = { text: '', summary: event.summary, sealed: [] }
                thoughts.set(event.index, thought)
                before.push(thought)
              } else if (event.kind === 'tool-call' && event.id) calls.set(event.index, { id: event.id, sealed: [] })
              break
            case 'text-delta': {
              const thought = thoughts.get(event.index)
              if (thought) thought.text += event.text
              break
            }
            case 'part-sealed':
              ;(thoughts.get(event.index) ?? calls.get(event.index))?.sealed.push(event.sealed)
              break
            case 'part-end': {
              const call = calls.get(event.index)
              if (!call) break
              const sealedBefore = before.filter((thought) => thought.sealed.length > 0)
              if (call.sealed.length > 0 || sealedBefore.length > 0)
                keep(keyOf(scope, call.id), { onCall: call.sealed, before: sealedBefore, at: now() })
              before = []
              break
            }
          }
        }
      }
    },
    recall(call, scope) {
      if (kept.size === 0) return call
      let changed = false
      const messages = call.messages.map((message) => {
        const restored = restoredMessage(message, (id) => {
          const entry = kept.get(keyOf(scope, id))
          return entry && now() - entry.at <= ttlMs ? entry : undefined
        })
        if (restored !== message) changed = true
        return restored
      })
      return changed ? { ...call, messages } : call
    },
  }
}

function restoredMessage(message: Message, find: (id: string) => Kept | undefined): Message {
  if (message.role !== 'assistant' || !message.parts.some((part) => part.type === 'tool-call')) return message
  const echoes = message.parts.some((part) => (part.sealed?.length ?? 0) > 0)
  if (echoes) return message
  let changed = false
  const hasThoughts = message.parts.some((part) => part.type === 'reasoning')
  const parts: Part[] = []
  for (const part of message.parts) {
    const entry = part.type === 'tool-call' ? find(part.id) : undefined
    if (!entry) {
      parts.push(part)
      continue
    }
    changed = true
    const thoughts = entry.before.map(
      ({ text, summary, sealed }): ReasoningPart => ({ type: 'reasoning', path: part.path, text, summary, sealed }),
    )
    // What the client echoed as bare words comes back as the thought it was.
    if (hasThoughts && thoughts.length > 0)
      for (let index = parts.length - 1; index >= 0; index--) if (parts[index]?.type === 'reasoning') parts.splice(index, 1)
    parts.push(...thoughts, entry.onCall.length > 0 ? { ...part, sealed: entry.onCall } : part)
  }
  return changed ? { ...message, parts } : message
}
