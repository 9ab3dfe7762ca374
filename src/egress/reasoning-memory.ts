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
  readonly size: number
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
  /** Of all that is kept. Default 32 million. */
  readonly maxCharacters?: number
  /** Default one hour. */
  readonly ttlMs?: number
  readonly now?: () => number
}

export function reasoningMemory({
  maxEntries = 10_000,
  maxCharacters = 32_000_000,
  ttlMs = 3_600_000,
  now = Date.now,
}: ReasoningMemoryOptions = {}): ReasoningMemory {
  // In the order of their making, so that the first is the oldest.
  const kept = new Map<string, Kept>()
  const keyOf = (scope: string, id: string): string => `${scope}\n${id}`
  let characters = 0
  const forget = (key: string): void => {
    characters -= kept.get(key)?.size ?? 0
    kept.delete(key)
  }
  const keep = (key: string, entry: Kept): void => {
    if (entry.size > maxCharacters) return
    forget(key)
    kept.set(key, entry)
    characters += entry.size
    for (const oldest of kept.keys()) {
      if (kept.size <= maxEntries && characters <= maxCharacters) return
      forget(oldest)
    }
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
                keep(keyOf(scope, call.id), {
                  onCall: call.sealed,
                  before: sealedBefore,
                  at: now(),
                  size: sizeOf(call.id, call.sealed, sealedBefore),
                })
              before = []
              break
            }
          }
        }
      }
    },
    recall(call, scope) {
      if (kept.size === 0) return call
      const find = (id: string): Kept | undefined => {
        const entry = kept.get(keyOf(scope, id))
        return entry && now() - entry.at <= ttlMs ? entry : undefined
      }
      let changed = false
      const messages: Message[] = []
      for (const turn of turnsOf(call.messages)) {
        const restored = restoredTurn(turn, find)
        if (restored !== turn) changed = true
        messages.push(...restored)
      }
      return changed ? { ...call, messages } : call
    },
  }
}

/** Messages of the assistant in a row are one turn: some dialects write it as one, some as several. */
function turnsOf(messages: readonly Message[]): (readonly Message[])[] {
  const turns: Message[][] = []
  for (const message of messages) {
    const last = turns.at(-1)
    if (message.role === 'assistant' && last?.[0]?.role === 'assistant') last.push(message)
    else turns.push([message])
  }
  return turns
}

function restoredTurn(turn: readonly Message[], find: (id: string) => Kept | undefined): readonly Message[] {
  const parts = turn.flatMap((message) => message.parts)
  const entries = new Map<Part, Kept>()
  for (const part of parts) {
    // The client sends its state back itself.
    if (part.sealed && part.sealed.length > 0) return turn
    const entry = part.type === 'tool-call' ? find(part.id) : undefined
    if (entry) entries.set(part, entry)
  }
  if (entries.size === 0) return turn
  // What the client echoed as bare words comes back as the thought it was.
  const thoughtful = [...entries.values()].some(({ before }) => before.length > 0)
  return turn.map((message) => ({
    ...message,
    parts: message.parts.flatMap((part): readonly Part[] => {
      if (part.type === 'reasoning') return thoughtful ? [] : [part]
      const entry = entries.get(part)
      return entry ? [...thoughtsOf(entry, part.path), entry.onCall.length > 0 ? { ...part, sealed: entry.onCall } : part] : [part]
    }),
  }))
}

const thoughtsOf = ({ before }: Kept, path: string): readonly ReasoningPart[] =>
  before.map(({ text, summary, sealed }) => ({ type: 'reasoning', path, text, summary, sealed }))

function sizeOf(id: string, onCall: readonly Sealed[], before: Kept['before']): number {
  const sealedSize = (list: readonly Sealed[]): number => list.reduce((sum, { value }) => sum + value.length, 0)
  return id.length + sealedSize(onCall) + before.reduce((sum, { text, sealed }) => sum + text.length + sealedSize(sealed), 0)
}
