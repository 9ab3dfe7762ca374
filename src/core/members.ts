/**
 * Where the members of a JSON object stand in its text, so that one can be changed and every other byte stays as the
 * client wrote it (numbers that no parser keeps, key order, white space).
 */
import { parseJson } from './json.ts'

export interface Span {
  /** Of the key's opening quote. */
  readonly keyStart: number
  readonly start: number
  readonly end: number
}

export interface Scan {
  readonly members: ReadonlyMap<string, Span>
  /** Deepest nesting, 1 for a flat object. */
  readonly depth: number
  /** How many members there are at all depths, repeated ones counted each time. */
  readonly keys: number
  /** A key that stands twice at the top. */
  readonly duplicate?: string
}

const QUOTE = 34
const BACKSLASH = 92

/**
 * Reads the text of an object. Text that is no JSON gives a scan without meaning, but gives one: it may be called before
 * `JSON.parse`, and stops where the nesting passes `maxDepth` or the members are more than `maxKeys`.
 */
export function scanMembers(text: string, maxDepth: number = Number.POSITIVE_INFINITY, maxKeys: number = Number.POSITIVE_INFINITY): Scan {
  const members = new Map<string, Span>()
  let duplicate: string | undefined
  let depth = 0
  let deepest = 0
  let keys = 0
  let keyStart = -1
  let key: string | undefined
  let valueStart = -1
  const close = (end: number): void => {
    if (key === undefined || valueStart < 0) return
    if (members.has(key)) duplicate ??= key
    let last = end
    while (text.charCodeAt(last - 1) <= 32) last--
    members.set(key, { keyStart, start: valueStart, end: last })
    key = undefined
    valueStart = -1
  }
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      const end = stringEnd(text, index)
      if (depth === 1) {
        if (key === undefined) {
          keyStart = index
          const raw = text.slice(index, end)
          key = raw.includes('\\') ? unescaped(raw) : raw.slice(1, -1)
        } else if (valueStart < 0) valueStart = index
      }
      index = end - 1
      continue
    }
    if (code <= 32) continue
    switch (code) {
      case 123:
      case 91:
        if (depth === 1 && valueStart < 0) valueStart = index
        depth++
        if (depth > deepest) {
          deepest = depth
          if (depth > maxDepth) return { members, depth, keys, duplicate }
        }
        break
      case 125:
      case 93:
        if (depth === 1) close(index)
        depth--
        break
      case 44:
        if (depth === 1) close(index)
        break
      case 58:
        if (++keys > maxKeys) return { members, depth: deepest, keys, duplicate }
        break
      default:
        if (depth === 1 && valueStart < 0) valueStart = index
    }
  }
  return { members, depth: deepest, keys, duplicate }
}

function unescaped(raw: string): string {
  const key = parseJson(raw)
  return typeof key === 'string' ? key : raw
}

/** The index after a string's closing quote. */
function stringEnd(text: string, start: number): number {
  let index = start
  for (;;) {
    index = text.indexOf('"', index + 1)
    if (index < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(index - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return index + 1
  }
}

export type Edit =
  | { readonly set: string; readonly json: string }
  | { readonly remove: string }
  | { readonly rename: string; readonly to: string }

/** The same text with some top-level members set, removed or renamed. Of several edits of one member the last counts. */
export function editMembers(text: string, { members }: Scan, edits: readonly Edit[]): string {
  const [only] = edits
  const place = edits.length === 1 && only && 'set' in only ? members.get(only.set) : undefined
  if (place && only && 'set' in only) return text.slice(0, place.start) + only.json + text.slice(place.end)
  const last = new Map<string, Edit>()
  for (const edit of edits) last.set('set' in edit ? edit.set : 'remove' in edit ? edit.remove : edit.rename, edit)
  const cuts: { readonly start: number; readonly end: number; readonly text: string }[] = []
  let added = ''
  let removes = false
  for (const [name, edit] of last) {
    const span = members.get(name)
    if ('set' in edit) {
      if (span) cuts.push({ start: span.start, end: span.end, text: edit.json })
      else added += `${JSON.stringify(name)}:${edit.json},`
    } else if ('rename' in edit) {
      if (span) cuts.push({ start: span.keyStart, end: stringEnd(text, span.keyStart), text: JSON.stringify(edit.to) })
    } else if (span) {
      removes = true
      cuts.push({ ...withComma(text, span), text: '' })
    }
  }
  cuts.sort((one, other) => one.start - other.start)
  const open = text.indexOf('{') + 1
  let edited = text.slice(0, open) + (members.size === 0 ? added.slice(0, -1) : added)
  let position = open
  for (const cut of cuts) {
    const start = Math.max(cut.start, position)
    edited += text.slice(position, start) + cut.text
    position = Math.max(cut.end, start)
  }
  edited += text.slice(position)
  return removes ? trimmedComma(edited) : edited
}

/** A member with the comma behind it, or the one before it when it is the last. */
function withComma(text: string, { keyStart, end }: Span): { start: number; end: number } {
  let after = end
  while (text.charCodeAt(after) <= 32) after++
  if (text.charCodeAt(after) === 44) return { start: keyStart, end: after + 1 }
  let before = keyStart
  while (text.charCodeAt(before - 1) <= 32) before--
  return text.charCodeAt(before - 1) === 44 ? { start: before - 1, end } : { start: keyStart, end }
}

/** Removing several members at the end can leave a comma before the closing brace. */
function trimmedComma(text: string): string {
  const brace = text.lastIndexOf('}')
  let before = brace - 1
  while (text.charCodeAt(before) <= 32) before--
  return text.charCodeAt(before) === 44 ? text.slice(0, before) + text.slice(before + 1) : text
}
