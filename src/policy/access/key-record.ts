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
  /** When it is rotated by itself, where it is. */
  readonly rotatesAt?: number
}

/** What a scheduled rotation has made, and not yet put where its holder finds it. As good as the key itself. */
export interface Successor {
  readonly digest: string
  readonly prefix: string
  /** Milliseconds since 1970. */
  readonly since: number
}

export interface Renewal {
  readonly crypto: AccessCrypto
  readonly now: number
  /** So long what is replaced works on. */
  readonly overlapMs: number
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
  const { prefix, previous, rotatedAt, createdBy, next } = record.data
  return {
    kind: record.kind,
    id: record.id,
    lookup: record.lookup,
    organisation: spec.tenant.organisation,
    version,
    data: dataOf({ ...specJson(spec), prefix, previous, rotatedAt, createdBy, next }),
  }
}

/** Another secret for the same key: id, scopes, what was spent, all stay. The one before ends after `overlapMs`. */
export function rotatedKey(
  record: StoredRecord,
  { crypto, now, overlapMs }: Renewal,
): { readonly record: Changed; readonly secret: string } {
  const made = makeCredential(kindOfRecord(record), crypto)
  return { secret: made.credential, record: replaced(record, made, now, now + overlapMs) }
}

/**
 * First step of a scheduled rotation: another secret that opens the same key, beside the one in use, which does not end before this one has
 * been delivered. Nor do successors made before: nobody knows whether they have been.
 */
export function succeededKey(
  record: StoredRecord,
  { crypto, now }: Omit<Renewal, 'overlapMs'>,
): { readonly record: Changed; readonly digest: string; readonly secret: string } {
  const { digest, prefix, credential } = makeCredential(kindOfRecord(record), crypto)
  const next = [...successorsOf(record), { digest, prefix, since: now }].slice(-MOST_FORMER)
  return { digest, secret: credential, record: { ...sameKey(record), data: dataOf({ ...record.data, next }) } }
}

/** Last step, once its holder can find it: the successor takes the key's place. Undefined: it is another one's turn by now. */
export function promotedKey(record: StoredRecord, digest: string, { now, overlapMs }: Omit<Renewal, 'crypto'>): Changed | undefined {
  const next = successorOf(record)
  return next?.digest === digest ? replaced(record, next, now, now + overlapMs) : undefined
}

type Changed = NewRecord & { readonly version: number }

const kindOfRecord = ({ kind }: StoredRecord): KeyKind => (kind === 'admin' ? 'admin' : 'key')
const sameKey = ({ id, lookup, organisation, version, ...record }: StoredRecord): Omit<Changed, 'data'> => ({
  kind: kindOfRecord({ id, version, ...record }),
  id,
  lookup,
  organisation,
  version,
})

function replaced(
  record: StoredRecord,
  { digest, prefix }: { readonly digest: string; readonly prefix: string },
  now: number,
  until: number,
): Changed {
  const ending = [record.lookup, ...successorsOf(record).map((one) => one.digest)].filter((one) => one !== undefined && one !== digest)
  const all = [...formerDigests(record), ...ending.map((one) => ({ digest: one as string, until }))]
  const previous = all.filter((one) => one.until > now).slice(-MOST_FORMER)
  return {
    ...sameKey(record),
    lookup: digest,
    data: dataOf({
      ...record.data,
      prefix,
      rotatedAt: now,
      next: undefined,
      previous: previous.length > 0 ? previous.map((one) => ({ ...one })) : undefined,
    }),
  }
}

export function formerDigests({ data }: Pick<StoredRecord, 'data'>): readonly FormerDigest[] {
  const { previous } = data
  return Array.isArray(previous) ? (previous as unknown as readonly FormerDigest[]) : []
}

/** The newest last. */
function successorsOf({ data }: Pick<StoredRecord, 'data'>): readonly (Successor & JsonObject)[] {
  const { next } = data
  return Array.isArray(next) ? (next as unknown as readonly (Successor & JsonObject)[]) : []
}

export const successorOf = (record: Pick<StoredRecord, 'data'>): Successor | undefined => successorsOf(record).at(-1)

/** Everything that opens it beside its own digest. */
export const otherDigests = (record: Pick<StoredRecord, 'data'>): readonly FormerDigest[] => [
  ...formerDigests(record),
  ...successorsOf(record).map(({ digest }) => ({ digest, until: Number.POSITIVE_INFINITY })),
]

/** When it is due by its schedule. Undefined: it has none. Milliseconds since 1970. */
export function rotatesAt({ data, createdAt }: Pick<StoredRecord, 'data' | 'createdAt'>): number | undefined {
  const every = numberOf(data['rotateEveryMs'])
  return every === undefined ? undefined : (numberOf(data['rotatedAt']) ?? createdAt) + every
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
    rotatesAt: rotatesAt({ data, createdAt }),
  }) as ManagedKey
}

const dataOf = (data: JsonObject): NewRecord['data'] => compact(data) as NewRecord['data']
