/**
 * `reasoning_details`: the list in which OpenRouter, and clients that learnt it from there, carry thinking with its
 * signatures. Its formats name the vendor who can read the sealed part.
 */
import type { Sealed } from '../../core/call.ts'
import { isFilled, isObject, isString, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { carry, uncarry } from '../carrier.ts'

const FORMATS = { anthropic: 'anthropic-claude-v1', google: 'google-gemini-v1', openai: 'openai-responses-v1' } as const

export interface Thought {
  readonly text: string
  readonly summary: boolean
  readonly sealed: readonly Sealed[]
  /** The entry as it stood in the list. */
  readonly detail?: JsonObject
}

/** The readable text of a list. */
export const detailsText = (details: readonly Json[]): string =>
  details.map((detail) => (isObject(detail) ? ([detail['text'], detail['summary']].find(isFilled) ?? '') : '')).join('')

/** What a client echoes, entry by entry. What only OpenRouter can read stays its own. */
export function thoughtsOf(details: readonly Json[]): Thought[] {
  return details.filter(isObject).map((detail) => {
    const text = [detail['text'], detail['summary']].find(isFilled) ?? ''
    return { text, summary: isFilled(detail['summary']), sealed: sealedOf(detail), detail }
  })
}

function sealedOf(detail: JsonObject): readonly Sealed[] {
  const { format, signature, data, id } = detail
  const value = [signature, data].find(isFilled)
  if (value === undefined) return []
  const own = uncarry(value)
  if (own) return own
  const withId = isFilled(id) ? { id } : {}
  switch (format) {
    case FORMATS.anthropic:
      return [{ vendor: 'anthropic', kind: value === signature ? 'signature' : 'redacted', value }]
    case FORMATS.google:
      return [{ vendor: 'google', kind: 'thought-signature', value, ...withId }]
    case FORMATS.openai:
      return [{ vendor: 'openai', kind: 'encrypted', value, ...withId }]
    default:
      return [{ vendor: 'openrouter', kind: 'details', value: JSON.stringify([detail]) }]
  }
}

/** The entries for one thought, numbered from `index`. Without sealed state there is nothing that text alone does not say. */
export function detailsOf({ text, summary, sealed }: Thought, index: number): JsonObject[] {
  const details: JsonObject[] = []
  const add = (detail: JsonObject): void => void details.push({ ...detail, index: index + details.length })
  let told = text === ''
  const words = (): JsonObject => {
    if (told) return {}
    told = true
    return summary ? { summary: text } : { text }
  }
  for (const one of sealed) {
    if (one.vendor === 'openrouter') {
      const list = parseJson(one.value)
      for (const detail of Array.isArray(list) ? list : []) if (isObject(detail)) add(detail)
      told = true
    } else if (one.vendor === 'anthropic' && one.kind === 'signature')
      add({ type: 'reasoning.text', text: '', ...words(), signature: one.value, format: FORMATS.anthropic })
    else {
      if (!told) add({ type: summary ? 'reasoning.summary' : 'reasoning.text', ...words(), format: formatOf(one) })
      add({
        type: 'reasoning.encrypted',
        data: one.vendor === 'bedrock' ? carry(one) : one.value,
        ...(one.id !== undefined && { id: one.id }),
        format: formatOf(one),
      })
    }
  }
  return details
}

const formatOf = ({ vendor }: Sealed): string => (vendor === 'bedrock' || vendor === 'openrouter' ? 'unknown' : FORMATS[vendor])

/**
 * Joins the pieces of a streamed list: texts and summaries grow, the rest is as it came first. Entries are told apart by
 * their index and type.
 */
export class DetailsMerger {
  readonly #entries: { key: string; detail: { [key: string]: Json | undefined } }[] = []

  push(pieces: readonly Json[]): void {
    for (const piece of pieces) {
      if (!isObject(piece)) continue
      const key = `${piece['index'] ?? ''}/${piece['type'] ?? ''}`
      // An encrypted entry comes whole: a second one is another one.
      const entry = isFilled(piece['data']) ? undefined : this.#entries.findLast((known) => known.key === key)
      if (!entry) {
        this.#entries.push({ key, detail: Object.fromEntries(Object.entries(piece)) })
        continue
      }
      for (const [name, value] of Object.entries(piece)) {
        const known = entry.detail[name]
        if ((name === 'text' || name === 'summary') && isString(known) && isString(value)) entry.detail[name] = known + value
        else if (value !== null && value !== undefined && name !== '__proto__') entry.detail[name] = value
      }
    }
  }

  /** The list so far as sealed state, if it holds anything that its text does not say; then it begins anew. */
  take(): Sealed | undefined {
    const details = this.#entries.map(({ detail }) => detail)
    this.#entries.length = 0
    if (!details.some((detail) => isFilled(detail['signature']) || isFilled(detail['data']))) return undefined
    return { vendor: 'openrouter', kind: 'details', value: JSON.stringify(details) }
  }
}
