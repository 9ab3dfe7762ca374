/** Smaller things of an answer: sources, pictures, sound, thinking blocks. */
import type { MediaPart, Sealed } from '../../core/call.ts'
import type { Citation } from '../../core/event.ts'
import { isFilled, isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { uncarry } from '../carrier.ts'

/** `{ type: 'url_citation', url_citation: { url, title, start_index, end_index, content? } }` */
export function citationOf(annotation: Json): Citation | undefined {
  if (!isObject(annotation)) return undefined
  const cited = isObject(annotation['url_citation']) ? annotation['url_citation'] : undefined
  if (!cited) return isFilled(annotation['type']) ? { raw: annotation } : undefined
  const { url, title, start_index, end_index, content } = cited
  return {
    ...(isFilled(url) && { url }),
    ...(isFilled(title) && { title }),
    ...(isNumber(start_index) && { start: start_index }),
    ...(isNumber(end_index) && { end: end_index }),
    ...(isFilled(content) && { quote: content }),
    raw: annotation,
  }
}

/** Perplexity's sources beside the choices. `search_results` say more than `citations`. */
export function searchCitations(chunk: JsonObject): Citation[] {
  const { search_results, citations } = chunk
  const list = Array.isArray(search_results) && search_results.length > 0 ? search_results : citations
  if (!Array.isArray(list)) return []
  return list.flatMap((entry) => {
    if (isFilled(entry)) return [{ url: entry }]
    if (!isObject(entry) || !isFilled(entry['url'])) return []
    return [{ url: entry['url'], ...(isFilled(entry['title']) && { title: entry['title'] }), raw: entry }]
  })
}

/** LiteLLM's `thinking_blocks`: Anthropic's blocks as they were. */
export function thinkingBlocks(blocks: readonly Json[]): { text: string; sealed: Sealed[] } {
  let text = ''
  const sealed: Sealed[] = []
  for (const block of blocks) {
    if (!isObject(block)) continue
    const { thinking, signature, data } = block
    if (isFilled(thinking)) text += thinking
    if (isFilled(signature)) sealed.push(...(uncarry(signature) ?? [{ vendor: 'anthropic', kind: 'signature', value: signature } as const]))
    if (isFilled(data)) sealed.push(...(uncarry(data) ?? [{ vendor: 'anthropic', kind: 'redacted', value: data } as const]))
  }
  return { text, sealed }
}

const DATA_URL = /^data:([^;,]*)(?:;[^,;]*)*;base64,/i

/** `{ type: 'image_url', image_url: { url } }`, as image models on OpenRouter answer. */
export function imageOf(image: Json): MediaPart | undefined {
  if (!isObject(image)) return undefined
  const given = image['image_url']
  const url = isObject(given) ? given['url'] : given
  if (!isFilled(url)) return undefined
  const data = DATA_URL.exec(url)
  const source = data
    ? ({ type: 'base64', data: url.slice(data[0].length), mime: data[1] || 'image/png' } as const)
    : ({ type: 'url', url } as const)
  return { type: 'media', kind: 'image', path: '', source }
}

/** Sound comes in pieces of base64, with its id and transcript beside it. */
export class AudioPieces {
  readonly #pieces: string[] = []
  #about: { [name: string]: Json | undefined } | undefined

  push({ id, data, transcript, expires_at }: JsonObject): void {
    this.#about ??= {}
    if (isFilled(id)) this.#about['id'] = id
    if (isFilled(data)) this.#pieces.push(data)
    if (isFilled(transcript)) this.#about['transcript'] = `${this.#about['transcript'] ?? ''}${transcript}`
    if (isNumber(expires_at)) this.#about['expires_at'] = expires_at
  }

  /** The format is what the request asked for: the answer does not say it. */
  take(): MediaPart | undefined {
    const data = joined(this.#pieces)
    if (!this.#about || data === '') return undefined
    return { type: 'media', kind: 'audio', path: '', source: { type: 'base64', data, mime: mimeOf(data) }, extras: this.#about }
  }
}

/** Pieces are encoded each by itself: where one ends in padding, the bytes must be joined instead of the text. */
function joined(pieces: readonly string[]): string {
  const whole = pieces.slice(0, -1).every((piece) => piece.length % 4 === 0 && !piece.endsWith('='))
  if (whole) return pieces.join('')
  try {
    return btoa(pieces.map(atob).join(''))
  } catch {
    return pieces.join('')
  }
}

/** By the first bytes; headerless sound is PCM. */
function mimeOf(base64: string): string {
  if (base64.startsWith('UklGR')) return 'audio/wav'
  if (/^(SUQz|\/\/[uvs])/.test(base64)) return 'audio/mpeg'
  if (base64.startsWith('T2dnUw')) return 'audio/ogg'
  if (base64.startsWith('ZkxhQ')) return 'audio/flac'
  return 'audio/pcm'
}
