/** What the admin API manages and every replica knows: keys, tenants, budgets, secrets … One port for all kinds; `store/` implements it. */
import type { Json } from './json.ts'

export type RecordKind =
  | 'key'
  | 'token'
  | 'organisation'
  | 'team'
  | 'project'
  | 'budget'
  | 'limit'
  | 'credit'
  | 'secret'
  | 'admin'
  | 'setting'

export interface StoredRecord {
  readonly kind: RecordKind
  /** Opaque; none is part of another. */
  readonly id: string
  /** Unique within the kind, to be found by: a key's digest. */
  readonly lookup?: string
  /** The organisation it belongs to. */
  readonly organisation?: string
  /** Counts up from 1 with every change. */
  readonly version: number
  readonly data: Readonly<Record<string, Json>>
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface NewRecord {
  readonly kind: RecordKind
  readonly id: string
  readonly lookup?: string | undefined
  readonly organisation?: string | undefined
  readonly data: Readonly<Record<string, Json>>
}

export interface RecordChange {
  /** Counts up; gaps are possible. */
  readonly seq: number
  readonly kind: RecordKind
  readonly id: string
}

export interface RecordPage {
  readonly data: readonly StoredRecord[]
  /** Give it as `after` to go on. */
  readonly next?: string
}

/** Every method rejects with a GatewayError `store-unavailable` when the store does not answer in time. */
export interface RecordStore {
  get(kind: RecordKind, id: string): Promise<StoredRecord | undefined>
  find(kind: RecordKind, lookup: string): Promise<StoredRecord | undefined>
  /** In the order of ids. `limit` at most 10,000. */
  list(
    kind: RecordKind,
    options?: { readonly organisation?: string | undefined; readonly after?: string | undefined; readonly limit?: number },
  ): Promise<RecordPage>
  /** Rejects with `conflict` when the id or the lookup exists. */
  create(record: NewRecord): Promise<StoredRecord>
  /** Rejects with `conflict` when it has another version by now, `not-found` when it is gone. */
  update(record: NewRecord & { readonly version: number }): Promise<StoredRecord>
  /** False: there was none. */
  remove(kind: RecordKind, id: string): Promise<boolean>
  /**
   * Tells of every change by whomever within a second while the store is reachable; after a gap in reach, of all that happened meanwhile.
   * Returns how to stop.
   */
  watch(listener: (changes: readonly RecordChange[]) => void): () => void
  close(): Promise<void>
}
