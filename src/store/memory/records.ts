/** Records that live as long as the process: for embedding and for trying things out. */
import type { Json } from '../../core/json.ts'
import type { NewRecord, RecordKind, RecordStore, StoredRecord } from '../../core/records.ts'
import { createListeners } from '../changes.ts'
import { changedMeanwhile, closed, gone, pageSize, taken } from '../record-rules.ts'

interface Shelf {
  readonly byId: Map<string, StoredRecord>
  readonly byLookup: Map<string, StoredRecord>
  /** Sorted anew when a list is asked for after ids came or went. */
  ids: string[] | undefined
}

export function createMemoryRecords({ now = Date.now }: { readonly now?: () => number } = {}): RecordStore {
  const shelves = new Map<RecordKind, Shelf>()
  const listeners = createListeners()
  let seq = 0
  let open = true

  const shelfOf = (kind: RecordKind): Shelf => {
    if (!open) throw closed()
    let shelf = shelves.get(kind)
    if (shelf) return shelf
    shelf = { byId: new Map(), byLookup: new Map(), ids: undefined }
    shelves.set(kind, shelf)
    return shelf
  }
  const put = (shelf: Shelf, record: StoredRecord, before?: StoredRecord): void => {
    if (before?.lookup !== undefined) shelf.byLookup.delete(before.lookup)
    if (!before) shelf.ids = undefined
    shelf.byId.set(record.id, record)
    if (record.lookup !== undefined) shelf.byLookup.set(record.lookup, record)
  }
  const tell = (kind: RecordKind, id: string): void => listeners.tell([{ seq: ++seq, kind, id }])

  return {
    async get(kind, id) {
      return shelfOf(kind).byId.get(id)
    },
    async find(kind, lookup) {
      return shelfOf(kind).byLookup.get(lookup)
    },
    async list(kind, { organisation, after, limit } = {}) {
      const shelf = shelfOf(kind)
      shelf.ids ??= [...shelf.byId.keys()].sort(byBytes)
      const size = pageSize(limit)
      const data: StoredRecord[] = []
      for (let index = after === undefined ? 0 : firstAfter(shelf.ids, after); index < shelf.ids.length; index++) {
        const record = shelf.byId.get(shelf.ids[index] as string) as StoredRecord
        if (organisation !== undefined && record.organisation !== organisation) continue
        if (data.length === size) return { data, next: (data.at(-1) as StoredRecord).id }
        data.push(record)
      }
      return { data }
    },
    async create(record) {
      const shelf = shelfOf(record.kind)
      if (shelf.byId.has(record.id) || (record.lookup !== undefined && shelf.byLookup.has(record.lookup))) throw taken(record)
      const at = now()
      const stored = storedOf(record, 1, at, at)
      put(shelf, stored)
      tell(record.kind, record.id)
      return stored
    },
    async update(record) {
      const shelf = shelfOf(record.kind)
      const before = shelf.byId.get(record.id)
      if (!before) throw gone(record.kind, record.id)
      if (before.version !== record.version) throw changedMeanwhile(record.kind, record.id)
      const holder = record.lookup === undefined ? undefined : shelf.byLookup.get(record.lookup)
      if (holder && holder.id !== record.id) throw taken(record)
      const stored = storedOf(record, before.version + 1, before.createdAt, now())
      put(shelf, stored, before)
      tell(record.kind, record.id)
      return stored
    },
    async remove(kind, id) {
      const shelf = shelfOf(kind)
      const before = shelf.byId.get(id)
      if (!before) return false
      shelf.byId.delete(id)
      if (before.lookup !== undefined) shelf.byLookup.delete(before.lookup)
      shelf.ids = undefined
      tell(kind, id)
      return true
    },
    watch: (listener) => listeners.add(listener),
    async close() {
      open = false
      listeners.clear()
      shelves.clear()
    },
  }
}

/** A copy, as a database would hand out: what becomes of the given one later is not seen. */
const storedOf = (
  { kind, id, lookup, organisation, data }: NewRecord,
  version: number,
  createdAt: number,
  updatedAt: number,
): StoredRecord => ({
  kind,
  id,
  ...(lookup === undefined ? {} : { lookup }),
  ...(organisation === undefined ? {} : { organisation }),
  version,
  data: JSON.parse(JSON.stringify(data)) as Readonly<Record<string, Json>>,
  createdAt,
  updatedAt,
})

/** The order of UTF-8, which differs from that of JavaScript's strings beyond the basic plane. */
const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))

function firstAfter(ids: readonly string[], after: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (byBytes(ids[middle] as string, after) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
