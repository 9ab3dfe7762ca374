/** Keys as the admin API manages them: records of the store, made by `policy/access`. */
import type { KeyAdmin, ManagedKey } from '../../admin/parts.ts'
import { GatewayError } from '../../core/error.ts'
import type { NewRecord, RecordStore, StoredRecord } from '../../core/records.ts'
import { changedKey, type KeyKind, keyRecord, managedKeyOf, rotatedKey } from '../../policy/access/key-record.ts'
import { nodeCrypto } from '../../policy/access/node-crypto.ts'

const PAGE = 100

export interface KeyAdminOptions {
  /** Whether keys can be rotated by themselves. Default: they cannot. */
  rotates?(): boolean
  /** Milliseconds since 1970. Default `Date.now`. */
  now?(): number
}

export function keyAdmin(records: RecordStore, kind: KeyKind, { rotates = () => false, now = Date.now }: KeyAdminOptions = {}): KeyAdmin {
  async function existing(id: string): Promise<StoredRecord> {
    const record = await records.get(kind, id)
    if (!record) throw new GatewayError('not-found', `There is no ${kind} \`${id.slice(0, 100)}\`.`)
    return record
  }
  const managed = (record: StoredRecord): ManagedKey => managedKeyOf(record)
  const written = async (record: NewRecord & { readonly version: number }): Promise<ManagedKey> => managed(await records.update(record))

  return {
    async list({ organisation, after, limit = PAGE }) {
      const page = await records.list(kind, { organisation, after, limit })
      return { data: page.data.map(managed), next: page.next }
    },
    async get(id) {
      const record = await records.get(kind, id)
      return record && managed(record)
    },
    async create(spec, createdBy) {
      const { record, secret } = keyRecord(spec, kind, nodeCrypto)
      const stored = await records.create({ ...record, data: { ...record.data, createdBy } })
      return { key: managed(stored), secret }
    },
    async update(id, version, spec) {
      return written(changedKey(await existing(id), version, spec))
    },
    async rotate(id, { overlapMs }) {
      const { record, secret } = rotatedKey(await existing(id), { crypto: nodeCrypto, now: now(), overlapMs })
      return { key: await written(record), secret }
    },
    revoke: (id) => records.remove(kind, id),
    rotates,
  }
}
