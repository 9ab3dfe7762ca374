/** Where a stream of this wire stands, read from its last frames. */
import { isObject, type JsonObject, numberOf, objectOf, parseJson, stringOf } from '../../core/json.ts'
import type { SseFrame } from '../sse.ts'
import type { OpenItem, OpenPart } from './stream-parts.ts'

export interface Place {
  /** The last sequence number; −1 when none was seen. */
  readonly number: number
  /** How many output items have begun. */
  readonly places: number
  /** The item that is open, and the content of it that is being told. */
  readonly item?: {
    readonly id: string
    readonly type: string
    readonly place: number
    readonly slot: number
    /** As it was added, where that frame is still known. */
    readonly json?: JsonObject
  }
}

export function placeOf(frames: readonly SseFrame[]): Place {
  let number = -1
  let places = 0
  let item: { id: string; type: string; place: number; slot: number; json?: JsonObject } | undefined
  for (const { data } of frames) {
    const event = parseJson(data)
    if (!isObject(event)) continue
    number = Math.max(number, numberOf(event['sequence_number']) ?? -1)
    const place = numberOf(event['output_index'])
    if (place === undefined) continue
    places = Math.max(places, place + 1)
    if (event['type'] === 'response.output_item.done') {
      item = undefined
      continue
    }
    const told = objectOf(event['item'])
    const id = stringOf(event['item_id']) ?? stringOf(told?.['id']) ?? item?.id ?? ''
    const slot = numberOf(event['content_index']) ?? numberOf(event['summary_index']) ?? (item?.id === id ? item.slot : 0)
    const type = stringOf(told?.['type']) ?? (item?.id === id ? item.type : typeOf(stringOf(event['type']) ?? ''))
    const json = told ?? (item?.id === id ? item.json : undefined)
    item = { id, type, place, slot, ...(json && { json }) }
  }
  return { number, places, ...(item && { item }) }
}

const typeOf = (event: string): string =>
  /^response\.(?:output_text|refusal|content_part)\./.test(event) ? 'message' : event.startsWith('response.reasoning') ? 'reasoning' : ''

/** The same part in another item: its frames say so from now on. */
export function movedTo(item: OpenItem, slot: number, part: OpenPart): OpenPart {
  const at = part.at
    .replace(/"item_id":"[^"]*"/, () => `"item_id":${JSON.stringify(item.id)}`)
    .replace(/"output_index":\d+/, `"output_index":${item.place}`)
    .replace(/"(content|summary)_index":\d+$/, `"$1_index":${slot}`)
  return { ...part, item, at, prefix: part.prefix.replace(part.at, () => at), call: part.call && { ...part.call, id: item.id } }
}
