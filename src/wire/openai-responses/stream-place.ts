/** Where a stream of this wire stands, read from its last frames. */
import { isObject, numberOf, objectOf, parseJson, stringOf } from '../../core/json.ts'
import type { SseFrame } from '../sse.ts'

export interface Place {
  /** The last sequence number; −1 when none was seen. */
  readonly number: number
  /** How many output items have begun. */
  readonly places: number
  /** The item that is open, and the content of it that is being told. */
  readonly item?: { readonly id: string; readonly type: string; readonly place: number; readonly slot: number }
}

export function placeOf(frames: readonly SseFrame[]): Place {
  let number = -1
  let places = 0
  let item: { id: string; type: string; place: number; slot: number } | undefined
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
    item = { id, type, place, slot }
  }
  return { number, places, ...(item && { item }) }
}

const typeOf = (event: string): string =>
  /^response\.(?:output_text|refusal|content_part)\./.test(event) ? 'message' : event.startsWith('response.reasoning') ? 'reasoning' : ''
