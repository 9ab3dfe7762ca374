/**
 * Short-lived tokens that applications get for their key or JWT. Opaque, and kept as records by digest: there is no signing key that could
 * leak, and a token ends with its key, everywhere.
 */
import { GatewayError, invalid } from '../../core/error.ts'
import { newId } from '../../core/id.ts'
import { compact, isObject, type JsonObject, numberOf, stringOf, wordOf } from '../../core/json.ts'
import type { Principal, Scopes } from '../../core/principal.ts'
import type { NewRecord, RecordStore } from '../../core/records.ts'
import type { AccessCrypto } from './access-crypto.ts'
import { makeCredential } from './credential-form.ts'
import type { Directory, Entry } from './directory.ts'
import { scopesIn, specFrom, specJson, textsIn } from './principal-json.ts'
import { type Narrowing, narrowedPrincipal, principalOf } from './principal-of.ts'
import { allows, beyond } from './scopes.ts'

export interface TokenSettings {
  /** How long a token lives when nobody says. Default 15 minutes. */
  readonly ttlMs?: number
  /** The longest that may be asked for. Default one day. */
  readonly maxTtlMs?: number
}

export interface TokenWish {
  /** Absent ones are the key's own. */
  readonly scopes?: Scopes
  readonly ttlMs?: number
  /** Whom it is for, where the key does not say. */
  readonly user?: string | undefined
  /** Beside the key's own. */
  readonly tags?: readonly string[] | undefined
  /** Where the key does not say. */
  readonly tier?: string | undefined
}

export interface ExchangedToken {
  /** Shown this once. */
  readonly token: string
  readonly id: string
  readonly scopes: Scopes
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** The record of a new token. Throws `forbidden` when it would be allowed more than who asks for it. */
export function tokenRecord(
  principal: Principal,
  { scopes = {}, ttlMs, user, tags, tier }: TokenWish,
  { crypto, now, ttlMs: usual = 900_000, maxTtlMs = 86_400_000 }: TokenSettings & { readonly crypto: AccessCrypto; readonly now: number },
): ExchangedToken & { readonly record: NewRecord } {
  if (principal.kind !== 'key' && principal.kind !== 'jwt')
    throw forbidden('Tokens are exchanged for gateway keys and JWTs: make a gateway key first.')
  const wished = ttlMs ?? Math.min(usual, maxTtlMs)
  if (!(wished >= 1_000 && wished <= maxTtlMs)) throw invalid(`\`ttl\` is not between 1s and ${maxTtlMs / 1_000}s.`, 'ttl')
  checkNarrower(principal, scopes, user, tier)
  const expiresAt = Math.min(now + wished, principal.expiresAt ?? Number.POSITIVE_INFINITY)
  const made = makeCredential('token', crypto)
  const id = newId('tok_')
  const own: JsonObject =
    principal.kind === 'key' ? { key: principal.id } : { principal: { id: principal.id, kind: 'jwt', ...specJson(principal) } }
  // All that holds for who asks, and not only what is asked for: who asks may hold a token too.
  const granted = narrowedPrincipal(principal, { scopes, user, tags, tier, expiresAt })
  const data = compact({
    ...own,
    scopes: { ...granted.scopes },
    user: granted.user,
    tags: [...granted.tags],
    tier: granted.tier,
    expiresAt,
    prefix: made.prefix,
  })
  return {
    token: made.credential,
    id,
    scopes: granted.scopes,
    expiresAt,
    record: { kind: 'token', id, lookup: made.digest, organisation: principal.tenant.organisation, data: data as NewRecord['data'] },
  }
}

/** Whose user or tier is settled cannot choose another: their limits hang on it. */
function checkNarrower(principal: Principal, scopes: Scopes, user: string | undefined, tier: string | undefined): void {
  const over = beyond(scopes, principal.scopes)
  if (over) throw forbidden(`This key has no right to \`${over.name}\` that it could pass on.`, `${over.scope}`)
  if (user !== undefined && principal.user !== undefined && user !== principal.user)
    throw forbidden('This key is for another user.', 'user')
  if (tier === undefined) return
  const allowed = principal.tier === undefined ? !principal.scopes.tiers || allows(principal.scopes.tiers, tier) : tier === principal.tier
  if (!allowed) throw forbidden(`This key has no right to the tier \`${tier}\`.`, 'tier')
}

/** The principal that a token stands for now; undefined when its key is gone. `key` finds the entry of its key. */
export function tokenPrincipal(token: Entry, key: (id: string) => Entry | undefined): Principal | undefined {
  const id = keyOfToken(token)
  const basis = id === undefined ? undefined : key(id)
  if (id !== undefined && !basis) return undefined
  if (token.principal && token.basis === basis) return token.principal
  const whole = basis ? principalOfEntry(basis) : jwtHolder(token)
  token.principal = narrowedPrincipal(whole, narrowingOf(token))
  token.basis = basis
  return token.principal
}

/** The same one each time, since others remember things by it. */
export function principalOfEntry(entry: Entry): Principal {
  entry.principal ??= principalOf(entry.record)
  return entry.principal
}

function jwtHolder({ record: { data } }: Entry): Principal {
  const kept = data['principal']
  if (!isObject(kept)) throw new Error('a kept token stands for nobody')
  return { ...specFrom(kept), kind: 'jwt', id: wordOf(kept['id']) }
}

const narrowingOf = ({ record: { data } }: Entry): Narrowing => ({
  scopes: scopesIn(data['scopes']),
  user: stringOf(data['user']),
  tags: textsIn(data['tags']),
  tier: stringOf(data['tier']),
  expiresAt: numberOf(data['expiresAt']) ?? 0,
})

/** Which key a token needs; undefined for one that was exchanged for a JWT, and for what is no token. */
export const keyOfToken = ({ kind, record: { data } }: Entry): string | undefined => (kind === 'token' ? stringOf(data['key']) : undefined)

const KEPT_AFTER_END_MS = 60_000

/** Takes away tokens that have ended, and those whose key is gone. Never rejects: what fails is tried the next time. */
export async function sweepTokens(directory: Directory, records: RecordStore, now: number): Promise<void> {
  if (!directory.loaded()) return
  for (const token of [...directory.tokens()]) {
    const key = keyOfToken(token)
    const ended = (numberOf(token.record.data['expiresAt']) ?? 0) + KEPT_AFTER_END_MS < now
    if (!ended && (key === undefined || directory.key(key) !== undefined)) continue
    try {
      await records.remove('token', token.id)
    } catch {
      return
    }
  }
}

const forbidden = (message: string, path?: string): GatewayError => new GatewayError('forbidden', message, { shouldRetry: false, path })
