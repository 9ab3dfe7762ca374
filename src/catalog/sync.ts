/** Fetches model facts, checks them, and gives the small form. Nothing is replaced until all of it has been read. */
import { parseJson } from '../core/json.ts'
import { createCatalog } from './catalog.ts'
import { compactCatalog } from './compact.ts'
import { factsOf } from './facts.ts'
import type { CatalogFile } from './file.ts'

export const PUBLIC_FACTS = 'https://models.dev/api.json'

/** Ten times today's size; more is not a catalogue. */
const MAX_BYTES = 64 * 1024 * 1024

export interface SyncOptions {
  readonly url?: string
  /** Milliseconds for the whole transfer. Default 30 000. */
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
  readonly now?: () => Date
}

/** Throws an Error with a sentence for the operator. */
export async function fetchCatalog({
  url = PUBLIC_FACTS,
  timeoutMs = 30_000,
  fetch: get = fetch,
  now = () => new Date(),
}: SyncOptions = {}): Promise<CatalogFile> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Error(`${url} is not an http(s) URL`)
  const text = await download(url, timeoutMs, get)
  const document = parseJson(text)
  if (document === undefined) throw new Error(`${url} did not answer with JSON`)
  const catalog: CatalogFile = { ...compactCatalog(factsOf(document)), source: url, fetched: now().toISOString() }
  // The proof that what was written can be read: every provider's models, once.
  const readable = createCatalog({ data: catalog, now })
  const models = catalog.providers.reduce((count, { id }) => count + readable.models(id).length, 0)
  if (models === 0) throw new Error(`${url} lists no models`)
  return catalog
}

async function download(url: string, timeoutMs: number, get: typeof fetch): Promise<string> {
  try {
    const response = await get(url, { signal: AbortSignal.timeout(timeoutMs), headers: { accept: 'application/json' } })
    if (!response.ok) {
      await response.body?.cancel()
      throw new Error(`answered with status ${response.status}`)
    }
    const decoder = new TextDecoder()
    let text = ''
    let size = 0
    for await (const bytes of response.body ?? []) {
      size += bytes.byteLength
      if (size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES / 1024 / 1024} MB`)
      text += decoder.decode(bytes, { stream: true })
    }
    return text + decoder.decode()
  } catch (error) {
    throw new Error(`${url} ${reasonOf(error, timeoutMs)}`, { cause: error })
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'could not be read'
  if (error.name === 'TimeoutError') return `did not answer within ${timeoutMs / 1000} s`
  // fetch says only "fetch failed"; why is in the cause.
  const cause = error.cause instanceof Error ? error.cause.message : undefined
  return error.name === 'TypeError' ? `could not be reached${cause ? `: ${cause}` : ''}` : error.message
}
