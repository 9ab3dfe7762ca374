/** One answer of Gemini, chunk by chunk. A plain answer is the same with one chunk. */
import type { MediaSource, Sealed } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { Event, PartKind, Usage } from '../../core/event.ts'
import { arrayOf, isFilled, isObject, isString, type Json, type JsonObject, stringOf } from '../../core/json.ts'
import { kindOfMime, mimeOfName } from '../mimes.ts'
import { citationsOf, logprobsOf } from './citations.ts'
import { BESIDE } from './decode-part.ts'
import { finishOf, isBroken, reasonOf } from './finish.ts'
import { ArgumentsBuilder } from './partial-args.ts'
import { plainBase64 } from './sealed.ts'
import { type Searches, searchesIn } from './searches.ts'
import { usageOf } from './usage.ts'

export class ChunkReader {
  #started = false
  readonly #events: Event[] = []
  #next = 0
  #open: { readonly index: number; readonly kind: PartKind; sealed: boolean } | undefined
  /** A call whose arguments are still coming. */
  #call: { readonly index: number; readonly builder: ArgumentsBuilder } | undefined
  /** All of the answer's words: citations count in it. */
  #text = ''
  #outputs = 0
  /** Calls that the client is to answer. */
  #calls = 0
  // No prototype: the names are the provider's.
  readonly #metadata: Record<string, Json | undefined> = Object.create(null)
  #usage: Usage | undefined
  #searches: Searches | undefined
  #finish: string | undefined
  #message: string | undefined
  #blocked: { readonly raw: string; readonly explanation: string | undefined } | undefined
  #continuation: string | undefined
  readonly #cited = new Set<string>()

  push(chunk: JsonObject): readonly Event[] {
    if (!this.#started) this.#start(chunk)
    const candidate = arrayOf(chunk['candidates'])
      .filter(isObject)
      .find(({ index }) => (index ?? 0) === 0)
    if (candidate) this.#candidate(candidate)
    this.#feedback(chunk['promptFeedback'])
    this.#searches = searchesIn(chunk, this.#searches)
    this.#usageSeen(chunk['usageMetadata'])
    return this.#events.splice(0)
  }

  /** `mustEnd`: a stream without a finish reason was cut short. */
  end(mustEnd: boolean): readonly Event[] {
    this.#closeCall()
    this.#close()
    const finish = this.#finish
    if (this.#blocked) {
      const { raw, explanation } = this.#blocked
      this.#events.push({ type: 'reply-end', finish: 'filter', raw, ...(explanation && { explanation }) })
    } else if (finish === undefined && mustEnd) {
      this.#events.push({
        type: 'error',
        error: new GatewayError('upstream-invalid', this.#message ?? "The provider's stream ended before its end."),
      })
    } else if (finish !== undefined && (isBroken(finish) || (finishOf(finish, false) === 'other' && this.#outputs === 0))) {
      const words = this.#message ?? 'The model gave no usable answer.'
      const error = new GatewayError('upstream-failed', words.includes(finish) ? words : `${words} (${finish})`, { providerCode: finish })
      this.#events.push({ type: 'error', error })
    } else {
      const kind =
        finish === undefined ? (this.#calls > 0 ? 'tool-calls' : this.#outputs > 0 ? 'stop' : 'other') : finishOf(finish, this.#calls > 0)
      this.#events.push({
        type: 'reply-end',
        finish: kind,
        ...(finish !== undefined && { raw: finish }),
        ...((kind === 'filter' || kind === 'other') && this.#message && { explanation: this.#message }),
        ...(kind === 'pause' && this.#continuation && { continuation: this.#continuation }),
      })
    }
    return this.#events.splice(0)
  }

  #start(chunk: JsonObject): void {
    this.#started = true
    const created = Date.parse(stringOf(chunk['createTime']) ?? '')
    this.#events.push({
      type: 'reply-start',
      ...(isFilled(chunk['responseId']) && { id: chunk['responseId'] }),
      ...(isFilled(chunk['modelVersion']) && { model: chunk['modelVersion'] }),
      ...(Number.isFinite(created) && { created: Math.floor(created / 1000) }),
    })
  }

  #candidate(candidate: JsonObject): void {
    const content = isObject(candidate['content']) ? candidate['content'] : {}
    for (const part of arrayOf(content['parts'])) if (isObject(part)) this.#part(part)
    const reason = reasonOf(candidate['finishReason'])
    if (reason !== undefined) this.#finish = reason
    if (isFilled(candidate['finishMessage'])) this.#message = candidate['finishMessage']
    if (isFilled(candidate['continuationToken'])) this.#continuation = candidate['continuationToken']
    const { groundingMetadata, citationMetadata, logprobsResult } = candidate
    if (groundingMetadata || citationMetadata || logprobsResult) this.#about(candidate)
  }

  /** What the candidate says about the words it has given. */
  #about(candidate: JsonObject): void {
    const open = this.#open
    if (open?.kind !== 'text') return
    const logprobs = logprobsOf(candidate['logprobsResult'])
    if (logprobs.length > 0) this.#events.push({ type: 'part-logprobs', index: open.index, logprobs })
    for (const citation of citationsOf(candidate, this.#text)) {
      // Streams tell the same sources again and again.
      const key = JSON.stringify([citation.url, citation.title, citation.start, citation.end])
      if (this.#cited.has(key)) continue
      this.#cited.add(key)
      this.#events.push({ type: 'part-citation', index: open.index, citation })
    }
  }

  #part(part: JsonObject): void {
    const signature = isFilled(part['thoughtSignature']) ? part['thoughtSignature'] : undefined
    const sealed: Sealed | undefined =
      signature === undefined ? undefined : { vendor: 'google', kind: 'thought-signature', value: signature }
    const { text, functionCall } = part
    if (isString(text)) this.#words(part['thought'] === true ? 'reasoning' : 'text', text, sealed)
    else if (isObject(functionCall)) this.#functionCall(functionCall, sealed)
    else this.#whole(part, sealed)
  }

  #words(kind: 'text' | 'reasoning', text: string, sealed: Sealed | undefined): void {
    if (text === '' && !sealed) return
    // A part has one signature at most.
    if (!this.#open || this.#open.kind !== kind || (sealed && this.#open.sealed)) this.#begin(kind)
    const open = this.#open
    if (!open) return
    if (text !== '') {
      this.#outputs++
      if (kind === 'text') this.#text += text
      this.#events.push({ type: 'text-delta', index: open.index, text })
    }
    if (sealed) {
      open.sealed = true
      this.#events.push({ type: 'part-sealed', index: open.index, sealed })
    }
  }

  #functionCall(value: JsonObject, sealed: Sealed | undefined): void {
    const partial = arrayOf(value['partialArgs'])
    if (!this.#call && !isFilled(value['name'])) return
    if (!this.#call || isFilled(value['name'])) {
      this.#closeCall()
      this.#close()
      this.#outputs++
      this.#calls++
      this.#call = { index: this.#next++, builder: new ArgumentsBuilder() }
      this.#events.push({
        type: 'part-start',
        index: this.#call.index,
        kind: 'tool-call',
        id: stringOf(value['id']) ?? '',
        name: stringOf(value['name']) ?? '',
      })
    }
    const { index, builder } = this.#call
    if (isObject(value['args'])) builder.merge(value['args'])
    for (const piece of partial) builder.add(piece)
    if (sealed) this.#events.push({ type: 'part-sealed', index, sealed })
    if (value['willContinue'] !== true) this.#closeCall()
  }

  #whole(part: JsonObject, sealed: Sealed | undefined): void {
    const { inlineData, fileData } = part
    const media = isObject(inlineData) ? inline(inlineData) : isObject(fileData) ? file(fileData) : undefined
    const kind = media ? undefined : Object.keys(part).find((key) => !BESIDE.has(key) && part[key] !== null)
    if (!media && kind === undefined) {
      if (sealed) this.#words('text', '', sealed)
      return
    }
    this.#closeCall()
    this.#close()
    this.#outputs++
    // The server answered a call of its own: no client is asked to.
    if (kind === 'functionResponse') this.#calls = Math.max(0, this.#calls - 1)
    const beside = { path: '', ...(sealed && { sealed: [sealed] }) }
    this.#events.push({
      type: 'part-whole',
      index: this.#next++,
      part: media
        ? { type: 'media', kind: kindOfMime(media.mime) ?? 'document', source: media, ...beside }
        : { type: 'foreign', wire: 'gemini', kind: kind ?? '', value: part[kind ?? ''] ?? null, ...beside },
    })
  }

  #begin(kind: PartKind): void {
    this.#closeCall()
    this.#close()
    this.#open = { index: this.#next++, kind, sealed: false }
    this.#events.push({ type: 'part-start', index: this.#open.index, kind })
  }

  #close(): void {
    if (this.#open) this.#events.push({ type: 'part-end', index: this.#open.index })
    this.#open = undefined
  }

  #closeCall(): void {
    if (!this.#call) return
    const { index, builder } = this.#call
    this.#call = undefined
    this.#events.push({ type: 'text-delta', index, text: JSON.stringify(builder.value) }, { type: 'part-end', index })
  }

  #feedback(feedback: Json | undefined): void {
    if (!isObject(feedback)) return
    const message = stringOf(feedback['blockReasonMessage'])
    const reason = feedback['blockReason']
    if (message) this.#message = message
    if (!reason) return
    const raw = isString(reason) ? reason : 'BLOCKED'
    this.#blocked = { raw, explanation: message ?? `The provider blocked the prompt (${raw}).` }
  }

  /** Counts are totals so far; what a later chunk leaves out stands. */
  #usageSeen(metadata: Json | undefined): void {
    if (isObject(metadata)) {
      // The last sum is whole: a side of the answer that it leaves out is not in it.
      if (this.#finish !== undefined && metadata['totalTokenCount'])
        for (const name of ANSWERED) if (!metadata[name]) this.#metadata[name] = undefined
      for (const name of Object.keys(metadata)) if (metadata[name] !== null) this.#metadata[name] = metadata[name]
    } else if (!this.#searches) return
    const usage = usageOf(this.#metadata, this.#searches)
    if (sameUsage(usage, this.#usage)) return
    this.#usage = usage
    this.#events.push({ type: 'usage', usage })
  }
}

const ANSWERED = ['candidatesTokenCount', 'thoughtsTokenCount'] as const

/** Whether a statement says nothing that the last one did not. */
function sameUsage(usage: Usage, before: Usage = {}): boolean {
  for (const name of Object.keys(usage) as (keyof Usage)[]) if (usage[name] !== before[name]) return false
  return true
}

type FetchedSource = Extract<MediaSource, { type: 'base64' | 'url' }>

function inline({ mimeType, data }: JsonObject): FetchedSource | undefined {
  return isString(data) ? { type: 'base64', data: plainBase64(data), mime: stringOf(mimeType) ?? 'application/octet-stream' } : undefined
}

function file({ fileUri, mimeType }: JsonObject): FetchedSource | undefined {
  if (!isString(fileUri)) return undefined
  const mime = stringOf(mimeType) ?? mimeOfName(fileUri)
  return { type: 'url', url: fileUri, ...(mime && { mime }) }
}
