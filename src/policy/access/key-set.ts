/** The public keys of an issuer: fetched when first needed, again when they are old or a token names one that is not there. */
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import { GatewayError } from '../../core/error.ts'
import { isObject, isString } from '../../core/json.ts'

/** Parsed JSON of a URL. Rejects for anything but a 200 with a JSON object of sensible size, in time. */
export type FetchJson = (url: string) => Promise<unknown>

export interface KeySetOptions {
  readonly issuer: string
  /** Absent: asked of the issuer's discovery document. */
  readonly jwksUrl?: string | undefined
  readonly fetchJson: FetchJson
  readonly now: () => number
  /** How old keys may become before they are fetched again, in the background. Default 10 minutes. */
  readonly maxAgeMs?: number
  /** How old they may become while the issuer cannot be reached. Default one day. */
  readonly staleMs?: number
  /** At most one fetch in this time for keys that tokens name. Default 30 seconds. */
  readonly coolDownMs?: number
}

export interface KeySet {
  /** For `jwtVerify`. Rejects with `store-unavailable` where the issuer cannot be reached; with jose's error for a key that is not there. */
  readonly key: JWTVerifyGetKey
  /** Another number once a key is gone: what was verified with it before counts no longer. */
  generation(): number
  /** Fetches again, in the background, when they are old. */
  freshen(): void
}

type Resolve = (header: Parameters<JWTVerifyGetKey>[0], token: Parameters<JWTVerifyGetKey>[1]) => ReturnType<JWTVerifyGetKey>

/** After a failed fetch nobody waits for another one for so long. */
const FAILURE_MS = 1_000

export function keySet({
  issuer,
  jwksUrl,
  fetchJson,
  now,
  maxAgeMs = 600_000,
  staleMs = 86_400_000,
  coolDownMs = 30_000,
}: KeySetOptions): KeySet {
  let resolve: Resolve | undefined
  let names: ReadonlySet<string> = new Set()
  let generation = 0
  let fetchedAt = Number.NEGATIVE_INFINITY
  /** When a fetch for a key that was not there was last begun. */
  let soughtAt = Number.NEGATIVE_INFINITY
  let failed: { readonly at: number; readonly error: unknown } | undefined
  let fetching: Promise<void> | undefined

  return {
    generation: () => generation,
    freshen() {
      if (resolve && now() - fetchedAt > maxAgeMs) fetched().catch(() => {})
    },
    async key(header, token) {
      const age = now() - fetchedAt
      if (!resolve || age > staleMs) await fetched()
      else if (age > maxAgeMs) fetched().catch(() => {})
      try {
        return await resolved(header, token)
      } catch (error) {
        // When the last try failed, nobody can tell whether this key exists: that is asked again, and is no fault of the token's.
        if (!isMissing(error) || (failed === undefined && now() - soughtAt < coolDownMs)) throw error
        soughtAt = now()
        await fetched()
        return resolved(header, token)
      }
    },
  }

  function resolved(...asked: Parameters<Resolve>): ReturnType<Resolve> {
    if (!resolve) throw unreachable(issuer, undefined)
    return resolve(...asked)
  }

  function fetched(): Promise<void> {
    if (failed && now() - failed.at < FAILURE_MS) return Promise.reject(unreachable(issuer, failed.error))
    fetching ??= fetchKeys()
      .then(
        () => {
          failed = undefined
        },
        (error: unknown) => {
          failed = { at: now(), error }
          throw unreachable(issuer, error)
        },
      )
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }

  async function fetchKeys(): Promise<void> {
    const { createLocalJWKSet } = await import('jose')
    const set = await fetchJson(jwksUrl ?? (await discovered()))
    if (!isObject(set) || !Array.isArray(set['keys'])) throw new Error('no JSON Web Key Set')
    // Secrets have no place in a public document: a key of that kind would let its readers sign.
    const keys = set['keys'].filter((key) => isObject(key) && key['kty'] !== 'oct')
    resolve = createLocalJWKSet({ keys } as unknown as JSONWebKeySet)
    const fresh = new Set(keys.map((key) => JSON.stringify(key)))
    for (const name of names) {
      if (fresh.has(name)) continue
      generation++
      break
    }
    names = fresh
    fetchedAt = now()
  }

  async function discovered(): Promise<string> {
    const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    if (!isObject(document) || document['issuer'] !== issuer) throw new Error('the discovery document is of another issuer')
    const url = document['jwks_uri']
    if (!isString(url) || !(url.startsWith('https://') || issuer.startsWith('http://'))) throw new Error('no https `jwks_uri`')
    return url
  }
}

const isMissing = (error: unknown): boolean => isObject(error) && error['code'] === 'ERR_JWKS_NO_MATCHING_KEY'

const unreachable = (issuer: string, cause: unknown): GatewayError =>
  new GatewayError(
    'store-unavailable',
    `The keys of the issuer ${issuer} cannot be fetched now, so its tokens cannot be checked. Try again.`,
    {
      retryAfterMs: 1_000,
      cause,
    },
  )
