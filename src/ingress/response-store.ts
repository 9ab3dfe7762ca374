/**
 * What the Responses API keeps for its clients, for providers that keep nothing: clients refer to earlier items by id
 * (`item_reference`) or to a whole earlier turn (`previous_response_id`). Short-lived and in memory; only answers that
 * the gateway itself wrote are kept, since OpenAI keeps its own.
 */
import type { ChatCall, Message, Part } from '../core/call.ts'
import { arrayOf, isFilled, isObject, type Json, type JsonObject } from '../core/json.ts'

interface Turn {
  readonly previous: string | undefined
  readonly input: readonly Json[]
  readonly output: readonly Json[]
}

interface Kept {
  readonly value: Turn | Json
  readonly size: number
  readonly at: number
}

export interface ResponseStore {
  /** Keeps an answer and what it answered. */
  keep(scope: string, request: JsonObject, response: JsonObject): void
  /** The request with what it refers to put in, and the turns before it. Unknown references stay as they are. */
  expand(scope: string, request: JsonObject): { readonly request: JsonObject; readonly earlier: readonly Json[] }
}

export interface ResponseStoreOptions {
  /** Default 32 MiB of JSON text. */
  readonly maxBytes?: number
  /** Default one hour. */
  readonly ttlMs?: number
  readonly now?: () => number
}

const MAX_TURNS = 1_000

export function responseStore({ maxBytes = 32 << 20, ttlMs = 3_600_000, now = Date.now }: ResponseStoreOptions = {}): ResponseStore {
  // In the order of their making, so that the first is the oldest.
  const kept = new Map<string, Kept>()
  let total = 0
  const put = (key: string, value: Turn | Json, size: number): void => {
    total += size - (kept.get(key)?.size ?? 0)
    kept.delete(key)
    kept.set(key, { value, size, at: now() })
    for (const [oldest, entry] of kept) {
      if (total <= maxBytes) break
      kept.delete(oldest)
      total -= entry.size
    }
  }
  const get = (key: string): Turn | Json | undefined => {
    const entry = kept.get(key)
    return entry && now() - entry.at <= ttlMs ? entry.value : undefined
  }
  const turnOf = (scope: string, id: unknown): Turn | undefined =>
    isFilled(id) ? (get(`${scope}\nturn\n${id}`) as Turn | undefined) : undefined

  const dereferenced = (scope: string, item: Json): Json => {
    if (!isObject(item) || !isFilled(item['id'])) return item
    const bare = item['type'] === 'item_reference' || (item['type'] === undefined && item['role'] === undefined)
    return bare ? ((get(`${scope}\nitem\n${item['id']}`) as Json | undefined) ?? item) : item
  }

  return {
    keep(scope, request, response) {
      const { id, output } = response
      if (!isFilled(id)) return
      const input = itemsOf(request['input']).map((item) => dereferenced(scope, item))
      const items = arrayOf(output)
      const { previous_response_id: previous } = request
      put(
        `${scope}\nturn\n${id}`,
        { previous: isFilled(previous) ? previous : undefined, input, output: items },
        JSON.stringify([input, items]).length,
      )
      for (const item of items)
        if (isObject(item) && isFilled(item['id'])) put(`${scope}\nitem\n${item['id']}`, item, JSON.stringify(item).length)
    },
    expand(scope, request) {
      const earlier: Json[][] = []
      let turn = turnOf(scope, request['previous_response_id'])
      const known = turn !== undefined
      for (let count = 0; turn && count < MAX_TURNS; count++) {
        earlier.push([...turn.input, ...turn.output])
        if (turn.previous === undefined) break
        turn = turnOf(scope, turn.previous)
      }
      const input = Array.isArray(request['input']) ? request['input'].map((item) => dereferenced(scope, item)) : request['input']
      const { previous_response_id: _, ...rest } = request
      return { request: { ...(known ? rest : request), ...(input === undefined ? {} : { input }) }, earlier: earlier.reverse().flat() }
    },
  }
}

const itemsOf = (input: Json | undefined): readonly Json[] =>
  typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : arrayOf(input)

/** A call with the turns before it, behind its own instructions. What they lose is named by the reference that brought them. */
export function withEarlier(call: ChatCall, earlier: readonly Message[]): ChatCall {
  if (earlier.length === 0) return call
  const own = call.messages.findIndex(({ path }) => !path.startsWith('instructions'))
  const cut = own < 0 ? call.messages.length : own
  return { ...call, messages: [...call.messages.slice(0, cut), ...earlier.map(placed), ...call.messages.slice(cut)] }
}

const PLACE = 'previous_response_id'
const placed = (message: Message): Message => ({ ...message, path: PLACE, parts: message.parts.map(placedPart) })
const placedPart = (part: Part): Part =>
  part.type === 'tool-result' ? { ...part, path: PLACE, content: part.content.map(placedPart) } : { ...part, path: PLACE }
