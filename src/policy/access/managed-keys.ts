/** What the admin API does with keys, on the records of the store. Every replica hears of it through the store's changes. */
import { GatewayError } from '../../core/error.ts'
import type { RecordStore, StoredRecord } from '../../core/records.ts'
import type { AccessCrypto } from './access-crypto.ts'
import { changedKey, type KeyKind, keyRecord, type ManagedKey, managedKeyOf, rotatedKey } from './key-record.ts'
import type { KeySpec } from './principal-json.ts'

export interface ManagedKeys {
  /** In the order of ids. */
  list(options: {
    readonly organisation?: string | undefined
    readonly after?: string | undefined
    readonly limit?: number
  }): Promise<{ readonly data: readonly ManagedKey[]; readonly next?: string | undefined }>
  get(id: string): Promise<ManagedKey | undefined>
  /** `secret` is the key itself, which is kept nowhere. */
  create(spec: KeySpec): Promise<{ readonly key: ManagedKey; readonly secret: string }>
  /** Rejects with `conflict` when it has another version by now, `not-found` when it is gone. */
  update(id: string, version: number, spec: KeySpec): Promise<ManagedKey>
  /** The key before stays valid for `overlapMs`. */
  rotate(id: string, options: { readonly overlapMs: number }): Promise<{ readonly key: ManagedKey; readonly secret: string }>
  /** False: there was none. */
  revoke(id: string): Promise<boolean>
}

export interface ManagedKeysOptions {
  readonly records: RecordStore
  readonly kind: KeyKind
  readonly crypto: AccessCrypto
  readonly now?: () => number
}

export function managedKeys({ records, kind, crypto, now = Date.now }: ManagedKeysOptions): ManagedKeys {
  const existing = async (id: string): Promise<StoredRecord> => {
    const record = await records.get(kind, id)
    if (!record) throw new GatewayError('not-found', `There is no ${kind} ${id}.`)
    return record
  }

  return {
    async list(options) {
      const { data, next } = await records.list(kind, options)
      return { data: data.map(managedKeyOf), next }
    },
    async get(id) {
      const record = await records.get(kind, id)
      return record && managedKeyOf(record)
    },
    async create(spec) {
      const { record, secret } = keyRecord(spec, kind, crypto)
      return { key: managedKeyOf(await records.create(record)), secret }
    },
    async update(id, version, spec) {
      return managedKeyOf(await records.update(changedKey(await existing(id), version, spec)))
    },
    async rotate(id, { overlapMs }) {
      const { record, secret } = rotatedKey(await existing(id), { crypto, now: now(), overlapMs })
      return { key: managedKeyOf(await records.update(record)), secret }
    },
    revoke: (id) => records.remove(kind, id),
  }
}
