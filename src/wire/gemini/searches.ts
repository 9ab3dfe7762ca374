/** Searches that Google bills apart from tokens, as far as an answer's grounding tells them. */
import type { Usage } from '../../core/event.ts'
import { arrayOf, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'

/** What was searched for one prompt, in all of its answers and all chunks of them so far. */
export interface Searches {
  /** Google counts a query once, and one that is empty not at all. */
  readonly queries: Set<string>
  /** Some source is a page of the web; some is a place on a map. */
  web: boolean
  maps: boolean
}

/** What a chunk adds to what was known: the same object, grown. Undefined while nothing was searched. */
export function searchesIn(chunk: JsonObject, before: Searches | undefined): Searches | undefined {
  let searches = before
  const { candidates } = chunk
  if (!Array.isArray(candidates)) return searches
  for (const candidate of candidates) {
    if (!isObject(candidate)) continue
    const { groundingMetadata } = candidate
    if (isObject(groundingMetadata)) searches = grown(groundingMetadata, searches)
  }
  return searches
}

function grown(grounding: JsonObject, before: Searches | undefined): Searches | undefined {
  const { groundingChunks, webSearchQueries, imageSearchQueries, retrievalQueries } = grounding
  // Streams repeat an empty object with every chunk.
  if (!groundingChunks && !webSearchQueries && !imageSearchQueries) return before
  const searches = before ?? { queries: new Set(), web: false, maps: false }
  for (const source of arrayOf(groundingChunks)) {
    if (!isObject(source)) continue
    if (source['maps']) searches.maps = true
    else if (source['web'] || source['image']) searches.web = true
  }
  add(webSearchQueries, searches)
  add(imageSearchQueries, searches)
  // The words with which a store of one's own was asked stand here too, and cost nothing by the search.
  if (searches.maps) add(retrievalQueries, searches)
  return searches
}

function add(queries: Json | undefined, searches: Searches): void {
  for (const query of arrayOf(queries)) if (isFilled(query)) searches.queries.add(query)
}

/** Pages that were only opened (URL context) are sources too, but nothing was searched for them. */
export function searchUsage({ queries, web, maps }: Searches): Pick<Usage, 'webSearches' | 'searchPrompts' | 'mapPrompts'> {
  return {
    ...(queries.size > 0 && { webSearches: queries.size }),
    ...(queries.size > 0 && web && { searchPrompts: 1 }),
    ...(maps && { mapPrompts: 1 }),
  }
}
