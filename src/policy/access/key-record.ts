/**
 * Gateway keys as records of the store: made, changed and rotated here, written by whoever manages them. Pure: what comes back is what to
 * write. Only the digest of a key is ever part of a record.
 */
import { newId } from '../../core/id.ts'
import { compact, type JsonObject, numberOf, wordOf } from '../../core/json.ts'
import type { NewRecord, StoredRecord } from '../../core/records.ts'
import type { AccessCrypto } from './access-crypto.ts'
import { makeCredential } from './credential-form.ts'
import { type KeySpec, specFrom, specJson } from './principal-json.ts'

/** Keys of applications, and keys of people who manage the gateway. */
export type KeyKind = 'key' | 'admin'

/** A digest that a rotation left valid for a while. */
export interface FormerDigest {
  readonly digest: string
  /** Milliseconds since 1970. */
  readonly until: number
}

/** A key as people may see it: nothing in it opens anything. */
export interface ManagedKey extends KeySpec {
  readonly id: string
  readonly version: number
  /** How the key begins, by which people tell it from others. */
  readonly prefix: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly rotatedAt?: number
  /** Until then the key before the last rotation is valid too. */
  readonly previousValidUntil?: number
}

const idPrefix: Readonly<Record<KeyKind, string>> = { key: 'key_', admin: 'adm_' }
const MOST_FORMER = 10

export const kindOfKey = (id: string): KeyKind => (id.startsWith(idPrefix.admin) ? 'admin' : 'key')

/** `secret` is the key itself: shown this once, kept nowhere. */
export function keyRecord(spec: KeySpec, kind: KeyKind, crypto: AccessCrypto): { readonly record: NewRecord; readonly secret: string } {
  const made = makeCredential(kind, crypto)
  return {
    secret: made.credential,
    record: {
      kind,
      id: newId(idPrefix[kind]),
      lookup: made.digest,
      organisation: spec.tenant.organisation,
      data: dataOf({ ...specJson(spec), prefix: made.prefix }),
    },
  }
}

/** The same key with another specification. */
export function changedKey(record: StoredRecord, version: number, spec: KeySpec): NewRecord & { readonly version: number } {
  const { prefix, previous, rotatedAt, createdBy } = record.data
  return {
    kind: record.kind,
    id: record.id,
    lookup: record.lookup,
    organisation: spec.tenant.organisation,
    version,
    data: dataOf({ ...specJson(spec), prefix, previous, rotatedAt, createdBy }),
  }
}

/** Another secret for the same key: id, scopes, what was spent, all stay. The one before ends after `overlapMs`. */
export function rotatedKey(
  record: StoredRecord,
  { crypto, now, overlapMs }: { readonly crypto: AccessCrypto; readonly now: number; readonly overlapMs: number },
): { readonly record: NewRecord & { readonly version: number }; readonly secret: string } {
  const kind = record.kind === 'admin' ? 'admin' : 'key'
  const made = makeCredential(kind, crypto)
  const ending: readonly FormerDigest[] = record.lookup === undefined ? [] : [{ digest: record.lookup, until: now + overlapMs }]
  const previous = [...formerDigests(record), ...ending].filter(({ until }) => until > now).slice(-MOST_FORMER)
  return {
    secret: made.credential,
    record: {
      kind,
      id: record.id,
      lookup: made.digest,
      organisation: record.organisation,
      version: record.version,
      data: dataOf({
        ...record.data,
        prefix: made.prefix,
        rotatedAt: now,
        previous: previous.length > 0 ? previous.map((one) => ({ ...one })) : undefined,
      }),
    },
  }
}

export function formerDigests({ data }: Pick<StoredRecord, 'data'>): readonly FormerDigest[] {
  const { previous } = data
  return Array.isArray(previous) ? (previous as unknown as readonly FormerDigest[]) : []
}

export function managedKeyOf({ id, version, data, organisation, createdAt, updatedAt, ...record }: StoredRecord): ManagedKey {
  const untils = formerDigests({ ...record, data }).map(({ until }) => until)
  return compact({
    ...specFrom(data, organisation),
    id,
    version,
    prefix: wordOf(data['prefix']),
    createdAt,
    updatedAt,
    rotatedAt: numberOf(data['rotatedAt']),
    previousValidUntil: untils.length > 0 ? Math.max(...untils) : undefined,
  }) as ManagedKey
}

const dataOf = (data: JsonObject): NewRecord['data'] => compact(data) as NewRecord['data']
