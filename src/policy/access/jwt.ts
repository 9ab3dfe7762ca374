/** JWTs of configured issuers. Verified once, remembered by digest until they expire. */
import type { JWTVerifyResult } from 'jose'
import { GatewayError } from '../../core/error.ts'
import { isObject, isString, type JsonObject, parseJson } from '../../core/json.ts'
import type { Principal } from '../../core/principal.ts'
import { boundedMap } from './bounded-map.ts'
import { type ClaimSettings, type Plan, principalOfClaims } from './claims.ts'
import { type FetchJson, type KeySet, keySet } from './key-set.ts'
import { UnknownCredential } from './unknown-credential.ts'

export interface IssuerSettings extends ClaimSettings {
  /** Exactly as tokens say it. */
  readonly issuer: string
  /** A token must be meant for one of these. */
  readonly audience: string | readonly string[]
  /** Where its public keys are. Absent: asked of the issuer. */
  readonly jwksUrl?: string
  /** Default: RSA, ECDSA and EdDSA. Those with shared secrets are never taken. */
  readonly algorithms?: readonly string[]
  /** How far clocks may differ. Default 30 seconds. */
  readonly clockToleranceMs?: number
}

export interface JwtOptions {
  readonly issuers: readonly IssuerSettings[]
  readonly plans: Readonly<Record<string, Plan>>
  readonly fetchJson: FetchJson
  readonly digest: (text: string) => string
  readonly now: () => number
}

export interface JwtVerifier {
  /** What was verified before, by digest, for as long as it holds. */
  recall(digest: string): Principal | undefined
  /** Whether it claims to be of one of the issuers. */
  concerns(token: string): boolean
  /** Rejects with `unauthenticated`, or `store-unavailable` when the issuer cannot be reached. */
  verify(token: string, digest: string): Promise<Principal>
  /** Whether tokens of this issuer still count. */
  trusts(issuer: string): boolean
}

export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

const LONGEST = 16_384
const LONGEST_KID = 256
const REMEMBERED = 10_000
/** Access tokens and ID tokens. Others of the same issuer (logout tokens, proofs …) were made for something else. */
const types = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'])
/** A token that brings its own key, or says where to fetch it, would vouch for itself. */
const ownKeys = ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64'] as const

interface Issuer {
  readonly settings: IssuerSettings
  readonly keys: KeySet
}

interface Verified {
  readonly principal: Principal
  readonly issuer: Issuer
  readonly generation: number
}

export function jwtVerifier({ issuers: settings, plans, fetchJson, digest: digestOf, now }: JwtOptions): JwtVerifier {
  const sets = new Map<string, KeySet>()
  const issuers: readonly Issuer[] = settings.map((one) => {
    const place = `${one.issuer} ${one.jwksUrl ?? ''}`
    const keys = sets.get(place) ?? keySet({ issuer: one.issuer, jwksUrl: one.jwksUrl, fetchJson, now })
    sets.set(place, keys)
    return { settings: one, keys }
  })
  const verified = boundedMap<Verified>(REMEMBERED)
  const running = new Map<string, Promise<Principal>>()

  return {
    recall(digest) {
      const known = verified.get(digest)
      if (!known) return undefined
      const { principal, issuer, generation } = known
      if (now() < (principal.expiresAt ?? 0) + toleranceOf(issuer.settings) && generation === issuer.keys.generation()) {
        issuer.keys.freshen()
        return principal
      }
      verified.delete(digest)
      return undefined
    },
    concerns: (token) => candidates(token).length > 0,
    trusts: (issuer) => settings.some((one) => one.issuer === issuer),
    verify(token, digest) {
      const known = running.get(digest)
      if (known) return known
      const verification = verify(token, digest).finally(() => running.delete(digest))
      running.set(digest, verification)
      return verification
    },
  }

  /** By what the token says of itself: which key to try. Nothing of it is believed before the signature is. */
  function candidates(token: string): readonly Issuer[] {
    const payload = token.length > LONGEST ? undefined : segment(token, 1)
    return payload ? issuers.filter((one) => one.settings.issuer === payload['iss']) : []
  }

  async function verify(token: string, digest: string): Promise<Principal> {
    if (token.length > LONGEST) throw unknown(`is longer than ${LONGEST} characters`)
    const header = segment(token, 0)
    const payload = segment(token, 1)
    if (!header || !payload) throw unknown('is not well formed')
    const possible = candidates(token)
    const issuer = possible.find((one) => meantFor(payload, one.settings.audience)) ?? possible[0]
    if (!issuer) throw unknown('is of an issuer that this gateway does not trust')
    checkHeader(header)
    const generation = issuer.keys.generation()
    const claims = await verifiedClaims(token, issuer)
    const principal = principalOfClaims(claims, issuer.settings, plans, digestOf)
    if (generation === issuer.keys.generation()) verified.set(digest, { principal, issuer, generation })
    return principal
  }

  async function verifiedClaims(token: string, { settings: one, keys }: Issuer): Promise<JsonObject> {
    const { jwtVerify, errors } = await import('jose')
    const toleranceMs = toleranceOf(one)
    const options = {
      issuer: one.issuer,
      audience: typeof one.audience === 'string' ? one.audience : [...one.audience],
      algorithms: (one.algorithms ?? signatureAlgorithms).filter((algorithm) => !algorithm.startsWith('HS')),
      requiredClaims: ['exp'],
      clockTolerance: toleranceMs / 1_000,
      currentDate: new Date(now()),
    }
    let result: JWTVerifyResult
    try {
      result = await jwtVerify(token, keys.key, options).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
        // No key id, and several keys that could have signed it.
        for await (const key of error) {
          const one = await jwtVerify(token, key, options).catch((failed: unknown) => {
            if (failed instanceof errors.JWSSignatureVerificationFailed) return undefined
            throw failed
          })
          if (one) return one
        }
        throw error
      })
    } catch (error) {
      if (error instanceof GatewayError) throw error
      throw (wasSigned(error) ? refused : unknown)(reasonOf(error), error)
    }
    const payload = result.payload as JsonObject
    const { iat } = payload
    if (iat !== undefined && (typeof iat !== 'number' || iat * 1_000 > now() + toleranceMs)) throw refused('is of the future (`iat`)')
    return payload
  }
}

const toleranceOf = ({ clockToleranceMs = 30_000 }: IssuerSettings): number => clockToleranceMs

function checkHeader(header: JsonObject): void {
  const { alg, kid, typ } = header
  if (!isString(alg) || !signatureAlgorithms.some((one) => one === alg)) throw unknown('is signed in a way that is not accepted (`alg`)')
  if (kid !== undefined && (!isString(kid) || kid.length > LONGEST_KID)) throw unknown('names its key in a way that cannot be (`kid`)')
  if (typ !== undefined && (!isString(typ) || !types.has(typ.toLowerCase()))) throw unknown('is of another kind (`typ`)')
  for (const name of ownKeys) if (header[name] !== undefined) throw unknown(`brings its own key or rules (\`${name}\`)`)
}

function meantFor({ aud }: JsonObject, audience: string | readonly string[]): boolean {
  const wanted = typeof audience === 'string' ? [audience] : audience
  const given = Array.isArray(aud) ? aud : [aud]
  return given.some((one) => isString(one) && wanted.includes(one))
}

function segment(token: string, place: number): JsonObject | undefined {
  const text = token.split('.', 3)[place]
  if (text === undefined) return undefined
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
    const json = parseJson(new TextDecoder().decode(bytes))
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

/** What is wrong, from jose's code and claim: never the token's own words. */
function reasonOf(error: unknown): string {
  if (!isObject(error)) return 'cannot be verified'
  switch (error['code']) {
    case 'ERR_JWT_EXPIRED':
      return 'has expired'
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return error['claim'] === 'nbf' ? 'is not valid yet' : `has a claim that does not fit (\`${String(error['claim'])}\`)`
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'is signed with a key that its issuer does not publish'
    default:
      return 'has no valid signature'
  }
}

/** What it claims is looked at once its signature is found good: its issuer gave it out. */
const wasSigned = (error: unknown): boolean =>
  isObject(error) && (error['code'] === 'ERR_JWT_EXPIRED' || error['code'] === 'ERR_JWT_CLAIM_VALIDATION_FAILED')

const unknown = (what: string, cause?: unknown): GatewayError => new UnknownCredential(`This token ${what}.`, cause)

const refused = (what: string, cause?: unknown): GatewayError =>
  new GatewayError('unauthenticated', `This token ${what}.`, { shouldRetry: false, cause })
