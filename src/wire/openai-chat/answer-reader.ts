/**
 * Turns what one message, or one piece of it, says into events. A plain answer is read as a stream of one piece, so that
 * both say the same.
 */
import type { MediaPart } from '../../core/call.ts'
import type { Citation, Event, PartKind } from '../../core/event.ts'
import { isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { AudioPieces, citationOf, imageOf, searchCitations, thinkingBlocks } from './answer-parts.ts'
import { finishOf } from './finish.ts'
import { DetailsMerger, detailsText } from './reasoning-details.ts'
import { ThinkTags } from './think-tags.ts'
import { signatureOf, ToolDeltas } from './tool-deltas.ts'

export class AnswerReader {
  /** True for a plain answer: everything comes in one piece. */
  readonly whole: boolean
  readonly #tags = new ThinkTags()
  readonly #details = new DetailsMerger()
  readonly #tools: ToolDeltas
  readonly #audio = new AudioPieces()
  #parts = 0
  /** The open part of text, refusal or reasoning; one at a time. */
  #open: { readonly index: number; readonly kind: PartKind } | undefined
  #spoke = false
  #plainThoughts = false
  #sources: Citation[] = []
  #signature: string | undefined

  constructor({ whole }: { whole: boolean }) {
    this.whole = whole
    this.#tools = new ToolDeltas(() => this.#parts++)
  }

  /** A `message` or a `delta`, with the choice and the chunk around it. */
  push(message: JsonObject, choice: JsonObject, chunk: JsonObject, out: Event[]): void {
    this.#thoughts(message, out)
    const { content } = message
    if (isFilled(content)) this.#text(content, out)
    else if (Array.isArray(content)) for (const part of content) this.#part(part, out)
    else if (isObject(content)) this.#say('text', JSON.stringify(content), out)
    if (isFilled(message['refusal'])) this.#say('refusal', message['refusal'], out)
    this.#logprobs(choice['logprobs'], out)
    this.#citations(message, chunk, out)
    this.#signature ??= signatureOf(message)
    const calls = message['tool_calls']
    if (Array.isArray(calls) && calls.length > 0) {
      this.#flush(out)
      this.#close(out)
      for (const call of calls) this.#tools.push(call, out)
    }
    const legacy = message['function_call']
    // Some hosts fill the old field with nothing.
    if (isObject(legacy) && isFilled(legacy['name'] ?? legacy['arguments'])) {
      this.#close(out)
      this.#tools.push({ index: 0, function: legacy }, out)
    }
    this.#media(message, out)
  }

  /** Ends all parts. */
  end(out: Event[]): void {
    this.#flush(out)
    this.#sign(out)
    if (this.#sources.length > 0 && this.#open?.kind === 'text')
      for (const citation of this.#sources) out.push({ type: 'part-citation', index: this.#open.index, citation })
    this.#close(out)
    this.#sealRest(out)
    this.#tools.end(out)
    const audio = this.#audio.take()
    if (audio) out.push({ type: 'part-whole', index: this.#parts++, part: audio })
  }

  finish(raw: string | undefined, choice: JsonObject): Event {
    const stop = [choice['stop_reason'], choice['matched_stop']].find(isFilled)
    const stopSequence = raw?.toLowerCase() === 'stop' ? stop : undefined
    const finish = finishOf(raw, { calls: this.#tools.any, stopSequence: stopSequence !== undefined })
    return {
      type: 'reply-end',
      finish,
      ...(raw !== undefined && { raw }),
      ...(finish === 'stop-sequence' && stopSequence !== undefined && { stopSequence }),
    }
  }

  #thoughts(message: JsonObject, out: Event[]): void {
    const { reasoning_content, reasoning, reasoning_details, thinking_blocks } = message
    const details = Array.isArray(reasoning_details) ? reasoning_details : []
    const blocks = Array.isArray(thinking_blocks) ? thinkingBlocks(thinking_blocks) : undefined
    const plain = [reasoning_content, reasoning].find(isFilled)
    if (plain !== undefined) this.#plainThoughts = true
    // Where the plain field is used, the details repeat it, at once or all together at the end.
    const text = plain ?? (this.#plainThoughts ? undefined : [detailsText(details), blocks?.text].find(isFilled))
    if (text !== undefined)
      this.#say(
        'reasoning',
        text,
        out,
        details.some((detail) => isObject(detail) && isFilled(detail['summary'])),
      )
    this.#details.push(details)
    for (const sealed of blocks?.sealed ?? []) {
      this.#begin('reasoning', out)
      if (this.#open) out.push({ type: 'part-sealed', index: this.#open.index, sealed })
    }
  }

  #text(text: string, out: Event[]): void {
    const settled = this.#spoke || this.#tags.done
    const pieces = settled ? [{ thinking: false, text }] : this.#tags.push(text)
    for (const piece of pieces) if (piece.text !== '') this.#say(piece.thinking ? 'reasoning' : 'text', piece.text, out)
  }

  /** Text that was held because it could have become a tag. */
  #flush(out: Event[]): void {
    if (!this.#tags.done) for (const { thinking, text } of this.#tags.end()) this.#say(thinking ? 'reasoning' : 'text', text, out)
  }

  /** Mistral's content as a list. */
  #part(part: Json, out: Event[]): void {
    if (isFilled(part)) this.#text(part, out)
    if (!isObject(part)) return
    const { type, thinking } = part
    if (type === 'thinking') {
      const pieces: readonly Json[] = Array.isArray(thinking) ? thinking : [thinking ?? '']
      for (const piece of pieces) {
        const text = isObject(piece) ? piece['text'] : piece
        if (isFilled(text)) this.#say('reasoning', text, out)
      }
    } else if (isFilled(part['text'])) this.#text(part['text'], out)
    else this.#single(imageOf(part), out)
  }

  #say(kind: 'text' | 'refusal' | 'reasoning', text: string, out: Event[], summary = false): void {
    const index = this.#begin(kind, out, summary)
    out.push({ type: 'text-delta', index, text })
  }

  #begin(kind: 'text' | 'refusal' | 'reasoning', out: Event[], summary = false): number {
    if (this.#open?.kind === kind) return this.#open.index
    this.#close(out)
    const index = this.#parts++
    this.#open = { index, kind }
    if (kind === 'text') this.#spoke = true
    out.push({ type: 'part-start', index, kind, ...(summary && { summary }) })
    return index
  }

  #close(out: Event[]): void {
    const open = this.#open
    if (!open) return
    if (open.kind === 'reasoning') {
      const sealed = this.#details.take()
      if (sealed) out.push({ type: 'part-sealed', index: open.index, sealed })
    }
    out.push({ type: 'part-end', index: open.index })
    this.#open = undefined
  }

  /** Sealed state that came after its words, or without any. */
  #sealRest(out: Event[]): void {
    const sealed = this.#details.take()
    if (!sealed) return
    const index = this.#begin('reasoning', out)
    out.push({ type: 'part-sealed', index, sealed }, { type: 'part-end', index })
    this.#open = undefined
  }

  #sign(out: Event[]): void {
    if (this.#signature === undefined) return
    if (this.#tools.any) this.#tools.sign(this.#signature, out)
    else if (this.#open)
      out.push({
        type: 'part-sealed',
        index: this.#open.index,
        sealed: { vendor: 'google', kind: 'thought-signature', value: this.#signature },
      })
    this.#signature = undefined
  }

  #logprobs(logprobs: Json | undefined, out: Event[]): void {
    if (!isObject(logprobs) || !this.#open) return
    const names = { text: 'content', refusal: 'refusal', reasoning: 'reasoning_content' } as const
    const { kind, index } = this.#open
    const list = kind === 'tool-call' ? undefined : logprobs[names[kind]]
    if (Array.isArray(list) && list.length > 0) out.push({ type: 'part-logprobs', index, logprobs: list })
  }

  #citations(message: JsonObject, chunk: JsonObject, out: Event[]): void {
    const { annotations } = message
    if (Array.isArray(annotations) && annotations.length > 0 && (this.#open?.kind === 'text' || !this.#spoke)) {
      for (const annotation of annotations) {
        const citation = citationOf(annotation)
        if (citation) out.push({ type: 'part-citation', index: this.#begin('text', out), citation })
      }
    }
    // Perplexity repeats its sources with every piece.
    const sources = searchCitations(chunk)
    if (sources.length > 0) this.#sources = sources
  }

  #media(message: JsonObject, out: Event[]): void {
    const { audio, images, executed_tools } = message
    if (isObject(audio)) {
      this.#audio.push(audio)
      if (isFilled(audio['transcript'])) this.#say('text', audio['transcript'], out)
    }
    if (Array.isArray(images)) for (const image of images) this.#single(imageOf(image), out)
    if (Array.isArray(executed_tools))
      for (const value of executed_tools)
        out.push({
          type: 'part-whole',
          index: this.#parts++,
          part: { type: 'foreign', path: '', wire: 'openai-chat', kind: 'executed_tools', value },
        })
  }

  #single(part: MediaPart | undefined, out: Event[]): void {
    if (part) out.push({ type: 'part-whole', index: this.#parts++, part })
  }
}
