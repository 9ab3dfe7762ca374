/** Output items as they grow, and as they are when they are done, as parts of a reply. */
import type { Sealed } from '../../core/call.ts'
import type { Citation, Event, PartKind } from '../../core/event.ts'
import { arrayOf, isFilled, isNumber, isObject, type Json, type JsonObject, numberOf, objectOf, stringOf } from '../../core/json.ts'
import { isCarried, uncarry } from '../carrier.ts'

interface OpenPart {
  readonly index: number
  /** How much of the text has been told, and its last letters. */
  told: number
  tail: string
  citations: number
  logprobs: number
  /** The summary or thought that is being told: a new one begins a paragraph. */
  place: number
}

interface Item {
  readonly type: string
  readonly id: string | undefined
  /** As it was added. */
  readonly item: JsonObject
  readonly parts: Map<string, OpenPart>
  done: boolean
}

const TAIL = 24

const TEXTS: Readonly<Record<string, PartKind>> = { output_text: 'text', text: 'text', refusal: 'refusal' }
const CALLS: Readonly<Record<string, string>> = { function_call: 'arguments', custom_tool_call: 'input' }

/** What a delta event grows, by the event's stem. */
const GROWS: Readonly<Record<string, string>> = {
  'response.output_text': 'message',
  'response.refusal': 'message',
  'response.function_call_arguments': 'function_call',
  'response.custom_tool_call_input': 'custom_tool_call',
  'response.reasoning_summary_text': 'reasoning',
  'response.reasoning_text': 'reasoning',
}

export class ReplyItems {
  /** Calls of the client's tools so far. */
  calls = 0
  readonly #items = new Map<number | string, Item>()
  #parts = 0

  /** An event about items; others say nothing here. */
  take(type: string, event: JsonObject, out: Event[]): void {
    switch (type) {
      case 'response.output_item.added':
        this.#add(event)
        return
      case 'response.output_item.done': {
        const item = objectOf(event['item'])
        if (item) this.#finish(this.#known(event) ?? this.#add(event), item, out)
        return
      }
      case 'response.content_part.added':
      case 'response.reasoning_summary_part.added':
        this.#openPart(type, event, out)
        return
      case 'response.output_text.annotation.added': {
        const part = this.#partOf(event, 'message', 'output_text', out)
        part.citations++
        cite(part, event['annotation'], out)
        return
      }
    }
    const end = type.lastIndexOf('.')
    const grows = GROWS[type.slice(0, end)]
    if (!grows) return
    const verb = type.slice(end + 1)
    if (verb === 'delta') this.#grow(grows, type, event, stringOf(event['delta']) ?? '', out)
    else if (verb === 'done') this.#whole(grows, type, event, out)
  }

  /** The whole output, at the end: what the stream left out is told now, what is open is closed. */
  finish(output: readonly Json[], out: Event[]): void {
    const all = [...this.#items.values()]
    const done = all.filter((item) => item.done).length
    if (done < output.length)
      for (const [index, value] of output.entries()) {
        if (!isObject(value)) continue
        const item = all.find((one) => one.id !== undefined && one.id === value['id']) ?? this.#items.get(index)
        if (item?.done) continue
        this.#finish(item ?? this.#add({ item: value, output_index: index }), value, out)
      }
    for (const item of this.#items.values()) if (!item.done) this.#finish(item, item.item, out)
  }

  #add(event: JsonObject): Item {
    const item = objectOf(event['item']) ?? {}
    const key = numberOf(event['output_index']) ?? stringOf(item['id']) ?? this.#items.size
    const added = { type: stringOf(item['type']) ?? '', id: stringOf(item['id']), item, parts: new Map(), done: false }
    this.#items.set(key, added)
    return added
  }

  #known(event: JsonObject): Item | undefined {
    const index = event['output_index']
    if (isNumber(index)) return this.#items.get(index)
    const id = stringOf(event['item_id']) ?? stringOf(objectOf(event['item'])?.['id'])
    return id === undefined ? [...this.#items.values()].at(-1) : [...this.#items.values()].find((item) => item.id === id)
  }

  /** The item that an event is about; one that was never added begins here. */
  #itemOf(event: JsonObject, type: string): Item {
    return this.#known(event) ?? this.#add({ output_index: event['output_index'], item: { type, id: event['item_id'] } })
  }

  #openPart(type: string, event: JsonObject, out: Event[]): void {
    const kind = stringOf(objectOf(event['part'])?.['type']) ?? ''
    if (type === 'response.reasoning_summary_part.added') this.#thoughtOf(this.#itemOf(event, 'reasoning'), true, placeOf(event), out)
    else if (TEXTS[kind]) this.#partOf(event, 'message', kind, out)
  }

  #partOf(event: JsonObject, type: string, kind: string, out: Event[]): OpenPart {
    return this.#textOf(this.#itemOf(event, type), placeOf(event), kind, out)
  }

  #grow(grows: string, type: string, event: JsonObject, text: string, out: Event[]): void {
    const item = this.#itemOf(event, grows)
    if (item.done) return
    let part: OpenPart | undefined
    if (grows === 'message') part = this.#textOf(item, placeOf(event), type.startsWith('response.refusal') ? 'refusal' : 'output_text', out)
    else if (grows === 'reasoning') part = this.#thoughtOf(item, type.startsWith('response.reasoning_summary'), placeOf(event), out)
    else part = this.#callOf(item, item.item, out)
    if (!part) return
    tell(part, text, out)
    addLogprobs(part, event['logprobs'], out)
  }

  /** The whole text of a part: told as far as its deltas did not. */
  #whole(grows: string, type: string, event: JsonObject, out: Event[]): void {
    const text = [event['text'], event['refusal'], event['arguments'], event['input']].find((value) => typeof value === 'string')
    const item = this.#itemOf(event, grows)
    if (typeof text !== 'string' || item.done || grows === 'reasoning') return
    const { name } = event
    if (grows === 'message') {
      const part = this.#textOf(item, placeOf(event), type.startsWith('response.refusal') ? 'refusal' : 'output_text', out)
      tellRest(part, text, out)
    } else {
      const part = this.#callOf(item, isFilled(name) ? { name, ...item.item } : item.item, out)
      if (part) tellRest(part, text, out)
    }
  }

  #textOf(item: Item, place: number, kind: string, out: Event[]): OpenPart {
    const key = `c${place}`
    const known = item.parts.get(key)
    if (known) return known
    const phase = stringOf(item.item['phase'])
    return this.#open(item, key, { kind: TEXTS[kind] ?? 'text', ...(item.id && { id: item.id }), ...(phase && { phase }) }, out)
  }

  #thoughtOf(item: Item, summary: boolean, place: number, out: Event[]): OpenPart {
    const key = summary ? 'summary' : 'thought'
    const part =
      item.parts.get(key) ?? this.#open(item, key, { kind: 'reasoning', ...(summary && { summary }), ...(item.id && { id: item.id }) }, out)
    if (place > part.place) {
      if (part.told > 0) out.push({ type: 'text-delta', index: part.index, text: '\n\n' })
      part.told = 0
      part.tail = ''
      part.place = place
    }
    return part
  }

  /** A call begins when its name is known. */
  #callOf(item: Item, from: JsonObject, out: Event[]): OpenPart | undefined {
    const known = item.parts.get('call')
    if (known) return known
    const name = stringOf(from['name'])
    if (name === undefined) return undefined
    this.calls++
    const namespace = stringOf(from['namespace'])
    return this.#open(
      item,
      'call',
      {
        kind: 'tool-call',
        id: stringOf(from['call_id']) ?? stringOf(from['id']) ?? item.id ?? '',
        name,
        ...(isFilled(namespace) && { namespace }),
        ...(item.type === 'custom_tool_call' && { freeform: true }),
      },
      out,
    )
  }

  #open(item: Item, key: string, start: { kind: PartKind; [member: string]: unknown }, out: Event[]): OpenPart {
    const part = { index: this.#parts++, told: 0, tail: '', citations: 0, logprobs: 0, place: 0 }
    item.parts.set(key, part)
    out.push({ type: 'part-start', index: part.index, ...start })
    return part
  }

  #finish(open: Item, item: JsonObject, out: Event[]): void {
    if (open.done) return
    open.done = true
    const type = stringOf(item['type']) ?? open.type
    if (type === 'message') this.#finishMessage(open, item, out)
    else if (type === 'reasoning') this.#finishReasoning(open, item, out)
    else if (CALLS[type]) {
      const part = this.#callOf({ ...open, type }, { ...open.item, ...item }, out)
      const text = item[CALLS[type]]
      if (part) tellRest(part, isObject(text) ? JSON.stringify(text) : (stringOf(text) ?? ''), out)
    } else if (type) this.#wholeItem(type, item, out)
    for (const { index } of open.parts.values()) out.push({ type: 'part-end', index })
  }

  #finishMessage(open: Item, item: JsonObject, out: Event[]): void {
    const named = open.item['phase'] === undefined ? { ...open, item: { ...open.item, phase: item['phase'] } } : open
    const contents = arrayOf(item['content'])
    // Some hosts count parts otherwise in deltas than in the item.
    const opened = open.parts.size === contents.length ? [...open.parts.values()] : []
    for (const [place, value] of contents.entries()) {
      if (!isObject(value)) continue
      const kind = stringOf(value['type']) ?? ''
      if (!TEXTS[kind]) continue
      const part = opened[place] ?? this.#textOf(named, place, kind, out)
      tellRest(part, stringOf(value[kind === 'refusal' ? 'refusal' : 'text']) ?? '', out)
      for (const annotation of arrayOf(value['annotations']).slice(part.citations)) cite(part, annotation, out)
      if (part.logprobs === 0) addLogprobs(part, value['logprobs'], out)
    }
  }

  #finishReasoning(open: Item, item: JsonObject, out: Event[]): void {
    for (const [key, summary] of [
      ['summary', true],
      ['content', undefined],
    ] as const)
      for (const [place, value] of arrayOf(item[key]).entries()) {
        const text = isObject(value) ? (stringOf(value['text']) ?? '') : ''
        const before = open.parts.get(summary ? 'summary' : 'thought')
        if (text === '' || (before && before.place > place)) continue
        const part = this.#thoughtOf(open, summary === true, place, out)
        tellRest(part, text, out)
      }
    const value = stringOf(item['encrypted_content'])
    if (!value) return
    const part =
      [...open.parts.values()].at(-1) ??
      this.#open(open, 'summary', { kind: 'reasoning', summary: true, ...(open.id && { id: open.id }) }, out)
    const id = stringOf(item['id']) ?? open.id
    const sealed: readonly Sealed[] = (isCarried(value) ? uncarry(value) : undefined) ?? [
      { vendor: 'openai', kind: 'encrypted', value, ...(id && { id }) },
    ]
    for (const one of sealed) out.push({ type: 'part-sealed', index: part.index, sealed: one })
  }

  /** An item of the vendor's own; a picture is one to everybody. */
  #wholeItem(type: string, item: JsonObject, out: Event[]): void {
    const index = this.#parts++
    const path = ''
    const { result } = item
    if (type === 'image_generation_call' && isFilled(result)) {
      const { result: _, ...own } = item
      const mime = `image/${stringOf(item['output_format']) ?? 'png'}`
      const source = /^https?:/.test(result) ? ({ type: 'url', url: result } as const) : ({ type: 'base64', data: result, mime } as const)
      out.push({ type: 'part-whole', index, part: { type: 'media', kind: 'image', path, source, own } })
    } else out.push({ type: 'part-whole', index, part: { type: 'foreign', path, wire: 'openai-responses', kind: type, value: item } })
  }
}

const placeOf = (event: JsonObject): number => numberOf(event['content_index']) ?? numberOf(event['summary_index']) ?? 0

function tell(part: OpenPart, text: string, out: Event[]): void {
  if (text === '') return
  part.told += text.length
  part.tail = (part.tail + text).slice(-TAIL)
  out.push({ type: 'text-delta', index: part.index, text })
}

/** What a whole text holds beyond its deltas; nothing when they were deltas of another text. */
function tellRest(part: OpenPart, whole: string, out: Event[]): void {
  if (whole.length > part.told && whole.slice(0, part.told).endsWith(part.tail)) tell(part, whole.slice(part.told), out)
}

function addLogprobs(part: OpenPart, value: Json | undefined, out: Event[]): void {
  if (!Array.isArray(value) || value.length === 0) return
  part.logprobs += value.length
  out.push({ type: 'part-logprobs', index: part.index, logprobs: value })
}

function cite(part: OpenPart, value: Json | undefined, out: Event[]): void {
  if (!isObject(value)) return
  const { url, title, start_index: start, end_index: end } = value
  const citation: Citation = {
    ...(isFilled(url) && { url }),
    ...(isFilled(title) && { title }),
    ...(isNumber(start) && { start }),
    ...(isNumber(end) && { end }),
    raw: value,
  }
  out.push({ type: 'part-citation', index: part.index, citation })
}
