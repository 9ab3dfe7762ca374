/** Sources of a text: address and title are all that vendors have in common. */
import type { Citation } from '../../core/event.ts'
import { isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'

const KINDS = new Set(['char_location', 'page_location', 'content_block_location', 'web_search_result_location', 'search_result_location'])

export function citationOf(raw: Json | undefined): Citation | undefined {
  if (!isObject(raw)) return undefined
  const { url, source, title, document_title: documentTitle, cited_text: quote } = raw
  const address = isFilled(url) ? url : isFilled(source) && /^https?:/.test(source) ? source : undefined
  return {
    ...(address !== undefined && { url: address }),
    ...(isFilled(title) ? { title } : isFilled(documentTitle) ? { title: documentTitle } : {}),
    ...(isFilled(quote) && { quote }),
    raw,
  }
}

/** The API's own form where it came from there. An empty index marks what was made of another vendor's. */
export function writeCitation({ raw, url, title, quote }: Citation): JsonObject | undefined {
  if (isObject(raw) && KINDS.has(String(raw['type']))) return raw
  if (!url) return undefined
  return { type: 'web_search_result_location', url, title: title ?? null, cited_text: quote ?? '', encrypted_index: '' }
}
