/**
 * The way back: what `encodeCall` said by other means (names under other rules, a freeform tool as a function, a schema
 * as a forced tool) is turned back into the client's words, event by event.
 */
import type { Event, PartStart } from '../core/event.ts'
import { isObject, parseJson } from '../core/json.ts'
import type { ClientTool } from './tool-names.ts'

/** What an encoded call needs undone in its answer. Empty when nothing was said by other means. */
export interface Restoration {
  /** What the client calls a tool that the provider names. */
  readonly tools?: (name: string) => ClientTool | undefined
  /** A function that stands for structured output: its arguments are the answer's text. */
  readonly formatTool?: string
}

export interface Restorer {
  push(events: readonly Event[]): readonly Event[]
}

export function restorer({ tools, formatTool }: Restoration): Restorer {
  const asText = new Set<number>()
  /** Freeform calls, whose input is inside JSON arguments and known only when they are whole. */
  const freeform = new Map<number, string>()
  let calls = 0

  const started = (event: PartStart): Event => {
    if (event.kind !== 'tool-call') return event
    if (formatTool !== undefined && event.name === formatTool) {
      asText.add(event.index)
      return { type: 'part-start', index: event.index, kind: 'text' }
    }
    calls++
    const known = tools?.(event.name ?? '')
    if (!known) return event
    if (known.freeform && !event.freeform) freeform.set(event.index, '')
    return { ...event, name: known.name, namespace: known.namespace, freeform: known.freeform }
  }

  const restore = (event: Event): readonly Event[] => {
    switch (event.type) {
      case 'part-start':
        return [started(event)]
      case 'text-delta': {
        const held = freeform.get(event.index)
        if (held === undefined) return [event]
        freeform.set(event.index, held + event.text)
        return []
      }
      case 'part-end': {
        const held = freeform.get(event.index)
        if (held === undefined) return [event]
        freeform.delete(event.index)
        return [{ type: 'text-delta', index: event.index, text: inputOf(held) }, event]
      }
      case 'reply-end':
        return [asText.size > 0 && calls === 0 && event.finish === 'tool-calls' ? { ...event, finish: 'stop' } : event]
      default:
        return [event]
    }
  }
  return { push: (events) => events.flatMap(restore) }
}

/** The input inside `{"input": …}`; whatever else the model wrote stays as it is. */
function inputOf(text: string): string {
  const value = parseJson(text)
  if (!isObject(value)) return text
  const { input } = value
  return typeof input === 'string' ? input : text
}

/** The schema of a function that stands for a freeform tool. */
export const freeformSchema = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
} as const

/** A freeform tool's description with its grammar, which a function has no other place for. */
export function freeformDescription(description: string | undefined, format: unknown): string {
  const grammar = isObject(format)
    ? (format['definition'] ?? (isObject(format['grammar']) ? format['grammar']['definition'] : undefined))
    : undefined
  const syntax = isObject(format)
    ? (format['syntax'] ?? (isObject(format['grammar']) ? format['grammar']['syntax'] : undefined))
    : undefined
  const rule =
    typeof grammar === 'string' ? `The input must follow this ${typeof syntax === 'string' ? `${syntax} ` : ''}grammar:\n${grammar}` : ''
  return [description, rule].filter(Boolean).join('\n\n')
}
