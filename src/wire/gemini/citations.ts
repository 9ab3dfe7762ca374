/** Sources of an answer: grounding and recitation as citations, and citations as grounding. */
import type { Citation, Logprob } from '../../core/event.ts'
import { arrayOf, isNumber, isObject, isString, type Json, type JsonObject, stringOf } from '../../core/json.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Google counts bytes of UTF-8. */
function characters(bytes: Uint8Array, offset: Json | undefined): number | undefined {
  return isNumber(offset) && offset >= 0 && offset <= bytes.length ? decoder.decode(bytes.subarray(0, offset)).length : undefined
}

/** The citations of one candidate whose text so far is `text`. */
export function citationsOf({ groundingMetadata, citationMetadata }: JsonObject, text: string): Citation[] {
  const grounded = isObject(groundingMetadata) && groundingMetadata['groundingChunks'] !== undefined
  const recited = isObject(citationMetadata)
  // Streams repeat an empty object with every chunk, and the text may be long.
  if (!grounded && !recited) return []
  const bytes = encoder.encode(text)
  return [...groundings(groundingMetadata, bytes), ...recitations(citationMetadata, bytes)]
}

function groundings(metadata: Json | undefined, bytes: Uint8Array): Citation[] {
  if (!isObject(metadata)) return []
  const chunks = arrayOf(metadata['groundingChunks']).map(sourceOf)
  const cited = new Set<number>()
  const supported = arrayOf(metadata['groundingSupports']).flatMap((support) => {
    if (!isObject(support)) return []
    const segment = isObject(support['segment']) ? support['segment'] : {}
    const end = characters(bytes, segment['endIndex'])
    return arrayOf(support['groundingChunkIndices']).flatMap((index): Citation[] => {
      const source = isNumber(index) ? chunks[index] : undefined
      if (!source) return []
      cited.add(index as number)
      return [
        known({
          ...source,
          // A segment from the beginning says no start.
          start: end === undefined ? undefined : (characters(bytes, segment['startIndex'] ?? 0) ?? 0),
          end,
          quote: stringOf(segment['text']),
        }),
      ]
    })
  })
  return [...supported, ...chunks.flatMap((source, index) => (source && !cited.has(index) ? [source] : []))]
}

function sourceOf(chunk: Json): Citation | undefined {
  if (!isObject(chunk)) return undefined
  const source = [chunk['web'], chunk['retrievedContext'], chunk['maps'], chunk['image']].find(isObject)
  const url = source && stringOf(source['uri'] ?? source['sourceUri'])
  const title = source && stringOf(source['title'])
  return url || title ? known({ url, title, raw: chunk }) : undefined
}

function recitations(metadata: Json | undefined, bytes: Uint8Array): Citation[] {
  if (!isObject(metadata)) return []
  return arrayOf(metadata['citationSources'] ?? metadata['citations']).flatMap((entry): Citation[] => {
    if (!isObject(entry) || !isString(entry['uri']) || entry['uri'] === '') return []
    const end = characters(bytes, entry['endIndex'])
    return [
      known({
        url: entry['uri'],
        title: stringOf(entry['title']),
        start: end === undefined ? undefined : characters(bytes, entry['startIndex'] ?? 0),
        end,
        raw: entry,
      }),
    ]
  })
}

const known = (citation: { [Key in keyof Citation]: Citation[Key] | undefined }): Citation =>
  Object.fromEntries(Object.entries(citation).filter(([, value]) => value !== undefined))

/** `groundingMetadata` for a client; ranges become bytes of `text`. */
export function groundingOf(citations: readonly Citation[], text: string): JsonObject | undefined {
  const sources = new Map<string, number>()
  const chunks: JsonObject[] = []
  const supports: JsonObject[] = []
  for (const { url, title, start, end } of citations) {
    if (!url && !title) continue
    const key = `${url ?? ''}\n${title ?? ''}`
    const index = sources.get(key) ?? chunks.length
    if (index === chunks.length) {
      sources.set(key, index)
      chunks.push({ web: { ...(url && { uri: url }), ...(title && { title }) } })
    }
    if (start === undefined || end === undefined || end > text.length || start > end) continue
    const bytes = (offset: number): number => encoder.encode(text.slice(0, offset)).length
    supports.push({
      segment: { startIndex: bytes(start), endIndex: bytes(end), text: text.slice(start, end) },
      groundingChunkIndices: [index],
    })
  }
  return chunks.length === 0 ? undefined : { groundingChunks: chunks, ...(supports.length > 0 && { groundingSupports: supports }) }
}

// ---- log probabilities, in Chat's shape inside ----

const bytesOf = (token: string): Json => [...encoder.encode(token)]

function logprobOf(candidate: Json): { token: string; logprob: number; bytes: Json } | undefined {
  if (!isObject(candidate) || !isString(candidate['token'])) return undefined
  const probability = candidate['logProbability']
  return { token: candidate['token'], logprob: isNumber(probability) ? probability : 0, bytes: bytesOf(candidate['token']) }
}

export function logprobsOf(result: Json | undefined): Logprob[] {
  if (!isObject(result)) return []
  const top = arrayOf(result['topCandidates'])
  return arrayOf(result['chosenCandidates']).flatMap((chosen, index) => {
    const own = logprobOf(chosen)
    if (!own) return []
    const others = top[index]
    const list = isObject(others) ? arrayOf(others['candidates']).flatMap((one) => logprobOf(one) ?? []) : []
    return [{ ...own, top_logprobs: list }]
  })
}

/** `logprobsResult` and the average for a client. */
export function logprobsResult(list: readonly Logprob[]): JsonObject {
  const entries = list.filter(isObject)
  if (entries.length === 0) return {}
  const candidateOf = (entry: JsonObject): JsonObject => ({ token: entry['token'], logProbability: entry['logprob'] })
  const tops = entries.map((entry) => arrayOf(entry['top_logprobs']).filter(isObject).map(candidateOf))
  const total = entries.reduce((sum, { logprob }) => sum + (isNumber(logprob) ? logprob : 0), 0)
  return {
    avgLogprobs: total / entries.length,
    logprobsResult: {
      chosenCandidates: entries.map(candidateOf),
      ...(tops.some((one) => one.length > 0) && { topCandidates: tops.map((candidates) => ({ candidates })) }),
    },
  }
}
