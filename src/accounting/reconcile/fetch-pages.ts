/** Reads a provider's report page by page. Tries again when it is busy; never writes a credential into an error. */
import { GatewayError } from '../../core/error.ts'
import { arrayOf, isObject, type Json, type JsonObject, parseJson, stringOf } from '../../core/json.ts'

export interface Reading {
  readonly fetch?: typeof fetch
  /** One request, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number
  /** Between attempts, doubled each time, where the provider names no time. Default 1 000. */
  readonly betweenMs?: number
}

const TRIES = 4
const MOST_PAGES = 500
const MOST_WAIT_MS = 60_000

/** The buckets of all pages of `{ data, has_more, next_page }`. */
export async function fetchPages(
  url: URL,
  headers: Readonly<Record<string, string>>,
  reading: Reading = {},
): Promise<readonly JsonObject[]> {
  const buckets: JsonObject[] = []
  const seen = new Set<string>()
  for (let count = 0; count < MOST_PAGES; count++) {
    const page = await fetchPage(url, headers, reading)
    buckets.push(...arrayOf(page['data']).filter(isObject))
    const next = stringOf(page['next_page'])
    if (page['has_more'] !== true || next === undefined) return buckets
    if (seen.has(next)) throw invalid(url, 'sends the same page again')
    seen.add(next)
    url.searchParams.set('page', next)
  }
  throw invalid(url, `has more than ${MOST_PAGES} pages`)
}

async function fetchPage(url: URL, headers: Readonly<Record<string, string>>, reading: Reading): Promise<JsonObject> {
  const { fetch: get = fetch, timeoutMs = 30_000, betweenMs = 1_000 } = reading
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(get, url, headers, timeoutMs)
    if ('body' in answer) {
      const body = answer.body
      if (isObject(body) && Array.isArray(body['data'])) return body
      throw invalid(url, 'does not answer with a report')
    }
    if (attempt === TRIES || !answer.again) throw answer.error
    await new Promise((resolve) => setTimeout(resolve, Math.min(answer.waitMs ?? betweenMs * 2 ** (attempt - 1), MOST_WAIT_MS)))
  }
}

type Answer =
  | { readonly body: Json | undefined }
  | { readonly error: GatewayError; readonly again: boolean; readonly waitMs?: number | undefined }

async function ask(get: typeof fetch, url: URL, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Answer> {
  let response: Response
  let text: string
  try {
    // A redirect could lead the credential elsewhere.
    response = await get(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    text = await response.text()
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    const what = timedOut ? 'did not answer in time' : 'cannot be reached'
    return {
      error: new GatewayError(timedOut ? 'upstream-timeout' : 'upstream-unreachable', `${placeOf(url)} ${what}.`, { cause: error }),
      again: true,
    }
  }
  if (response.ok) return { body: parseJson(text) }
  const { status } = response
  const told = wordsOf(parseJson(text))
  const said = told === undefined ? '' : `: ${told}`
  if (status === 401 || status === 403) {
    const remedy = 'Reports need an admin key of the organisation, not a key for calls.'
    return { error: new GatewayError('upstream-credential', `${placeOf(url)} refuses the key (${status})${said}. ${remedy}`), again: false }
  }
  const again = status === 429 || status >= 500
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return {
    error: new GatewayError(again ? 'upstream-failed' : 'upstream-rejected', `${placeOf(url)} answered ${status}${said}.`),
    again,
    waitMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
  }
}

/** Keys that providers quote in their refusals stay out of the report. */
const wordsOf = (body: Json | undefined): string | undefined => {
  const error = isObject(body) ? body['error'] : undefined
  const message = isObject(error) ? stringOf(error['message']) : undefined
  return message
    ?.replace(/\b(sk|key)-[\w*.-]+/g, '…')
    .slice(0, 200)
    .replace(/[.\s]+$/, '')
}

const placeOf = (url: URL): string => `${url.host}${url.pathname}`

const invalid = (url: URL, what: string): GatewayError => new GatewayError('upstream-invalid', `${placeOf(url)} ${what}.`)

/** `base` ends before the path, with or without a slash. */
export function reportUrl(base: string, path: string, query: readonly (readonly [string, string | number | undefined])[]): URL {
  const url = new URL(`${base.replace(/\/+$/, '')}/${path}`)
  for (const [name, value] of query) if (value !== undefined) url.searchParams.append(name, String(value))
  return url
}
