/** Principals, as records tell of them: of a key, and of what a token leaves of one. */
import { anonymous, type Principal, type Scopes } from '../../core/principal.ts'
import type { StoredRecord } from '../../core/records.ts'
import { specFrom } from './principal-json.ts'
import { intersected } from './scopes.ts'

export const ownerPrincipal: Principal = { ...anonymous, kind: 'owner', id: 'owner', role: 'owner' }

export function principalOf({ id, data, organisation }: Pick<StoredRecord, 'id' | 'data' | 'organisation'>): Principal {
  const { rotateEveryMs: _, ...spec } = specFrom(data, organisation)
  return { ...spec, kind: 'key', id }
}

/** What a token says beside the key it stands for. */
export interface Narrowing {
  readonly scopes: Scopes
  readonly user?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly tier?: string | undefined
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Never more than its key may now, whatever the key might when the token was made. Manages nothing. */
export const narrowedPrincipal = (principal: Principal, { scopes, user, tags = [], tier, expiresAt }: Narrowing): Principal => ({
  ...principal,
  role: 'member',
  scopes: intersected(principal.scopes, scopes),
  tags: [...new Set([...principal.tags, ...tags])],
  expiresAt: Math.min(expiresAt, principal.expiresAt ?? Number.POSITIVE_INFINITY),
  ...(principal.user === undefined && user !== undefined && { user }),
  ...(principal.tier === undefined && tier !== undefined && { tier }),
})
