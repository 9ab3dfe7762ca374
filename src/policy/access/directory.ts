/**
 * All keys and tokens, in memory, found by digest. Loaded at the start, kept current by the store's changes; a digest that is not known here
 * is looked for in the store once, however many ask for it at the same time.
 */
import type { Principal } from '../../core/principal.ts'
import type { RecordKind, RecordStore, StoredRecord } from '../../core/records.ts'
import { boundedMap } from './bounded-map.ts'
import { createContact } from './contact.ts'
import { type KeyKind, kindOfKey, otherDigests } from './key-record.ts'
import { createRefresh } from './refresh.ts'
import { unavailable, within } from './unavailable.ts'

export type DirectoryKind = KeyKind | 'token'
const kinds: readonly DirectoryKind[] = ['key', 'admin', 'token']
const isOurs = (kind: RecordKind): kind is DirectoryKind => kind === 'key' || kind === 'admin' || kind === 'token'

export interface Entry {
  readonly kind: DirectoryKind
  readonly id: string
  readonly record: StoredRecord
  /** Worked out when the entry is first used. */
  principal?: Principal
  /** Of a token: the key's entry that its principal was worked out from. */
  basis?: Entry | undefined
  /** It changed, and the store has not yet told how. Milliseconds since 1970. */
  changedAt?: number
}

export interface Found {
  readonly entry: Entry
  /** Until when this digest opens it: rotations leave the former one valid for a while. */
  readonly until: number
}

export interface DirectoryOptions {
  readonly records: RecordStore
  /** How long to go by what is known while the store cannot be reached. Default 10 minutes. */
  readonly staleMs?: () => number
  /** How long one lookup may take. Default 250. */
  readonly lookupMs?: number
  /** How long a digest that nobody knows is refused without asking again. Default 5 000. */
  readonly negativeMs?: number
  readonly now?: () => number
}

export interface Directory {
  /** From memory. */
  get(digest: string): Found | undefined
  key(id: string): Entry | undefined
  /** Whether it opened something here before: a key that was revoked since, or the former one of one rotated twice. */
  gone(digest: string): boolean
  /** Asks the store. Undefined: nobody has it. Rejects with `store-unavailable` when nobody can tell. */
  find(kind: DirectoryKind, digest: string): Promise<Found | undefined>
  findKey(id: string): Promise<Entry | undefined>
  /** Whether this may be gone by without asking the store. */
  current(entry: Entry): boolean
  /** Asks the store, where it may not. Rejects with `store-unavailable`. */
  confirm(entry: Entry): Promise<void>
  /** Remembers what was just written, without waiting to be told. */
  learn(record: StoredRecord): void
  /** Resolves when the first try to load everything has ended, well or not; it is tried again until it does. */
  load(): Promise<void>
  tokens(): Iterable<Entry>
  /** Whether everything is here. */
  loaded(): boolean
  /** When the store last answered. Milliseconds since 1970. */
  lastContact(): number | undefined
  readonly size: number
  close(): void
}

export const STALE_MS = 600_000
const PAGE = 2_000
const MOST_UNKNOWN = 10_000
/** Beyond this many lookups at once, others are told to come back: guesses must not take the store down. */
const MOST_LOOKUPS = 64
/** For so long after a change a key goes by what was known of it. */
const CHANGE_MS = 1_000
const FOREVER = Number.POSITIVE_INFINITY

interface Tables {
  readonly digests: Map<string, Found>
  /** By kind and id. */
  readonly entries: Map<string, Entry>
}

export function createDirectory({
  records,
  staleMs = () => STALE_MS,
  lookupMs = 250,
  negativeMs = 5_000,
  now = Date.now,
}: DirectoryOptions): Directory {
  let tables: Tables = { digests: new Map(), entries: new Map() }
  let loaded = false
  /** Digests that nobody has, and until when to say so. */
  const unknown = boundedMap<number>(MOST_UNKNOWN)
  const gone = boundedMap<true>(MOST_UNKNOWN)
  const lookups = new Map<string, Promise<Found | undefined>>()
  /** Counts the store's changes: an answer from before one is not remembered as “nobody has it”. */
  let changes = 0
  const contact = createContact({ reach: () => records.get('setting', 'access'), now, limitMs: lookupMs })
  const refresh = createRefresh({
    read: async (kind, id) => {
      const record = await contact.heard(records.get(kind, id))
      if (record) put(tables, record)
      else drop(tables, entryKey(kind, id))
    },
    load,
  })
  const unwatch = records.watch((told) => {
    changes++
    unknown.clear()
    for (const { kind, id } of told) {
      if (!isOurs(kind)) continue
      const entry = tables.entries.get(entryKey(kind, id))
      if (entry) entry.changedAt ??= now()
      refresh.changed(kind, id)
    }
  })

  return {
    get: (digest) => tables.digests.get(digest),
    key: (id) => tables.entries.get(entryKey(kindOfKey(id), id)),
    gone: (digest) => gone.get(digest) === true,
    learn: (record) => put(tables, record),
    loaded: () => loaded,
    tokens: () => tables.entries.values().filter(({ kind }) => kind === 'token'),
    lastContact: contact.last,
    load: refresh.load,
    get size() {
      return tables.entries.size
    },

    current: (entry) => !overdue(entry) && recent(),

    async confirm(entry) {
      if (overdue(entry)) throw unavailable('This key was changed, and')
      if (!recent()) await contact.reach()
    },

    find(kind, digest) {
      const until = unknown.get(digest)
      if (until !== undefined && until > now()) return loaded ? Promise.resolve(undefined) : Promise.reject(unavailable())
      const running = lookups.get(digest)
      if (running) return running
      if (lookups.size >= MOST_LOOKUPS) return Promise.reject(unavailable('Too many unknown keys are being looked up;'))
      const lookup = lookUp(kind, digest).finally(() => lookups.delete(digest))
      lookups.set(digest, lookup)
      return lookup
    },

    async findKey(id) {
      const record = await contact.heard(within(records.get(kindOfKey(id), id), lookupMs))
      return record && put(tables, record)
    },

    close() {
      unwatch()
      contact.close()
      refresh.close()
    },
  }

  /** Changed, and for too long the store has not told how. */
  function overdue({ changedAt }: Entry): boolean {
    return changedAt !== undefined && now() - changedAt > CHANGE_MS
  }

  function recent(): boolean {
    const last = contact.last()
    return last !== undefined && now() - last <= staleMs()
  }

  async function lookUp(kind: DirectoryKind, digest: string): Promise<Found | undefined> {
    const before = changes
    const record = await contact.heard(within(records.find(kind, digest), lookupMs))
    if (record) {
      put(tables, record)
      return tables.digests.get(digest)
    }
    // While not everything is here, this may be the former digest of a rotated key: only a list of all keys knows those.
    if (!loaded) throw unavailable()
    const known = tables.digests.get(digest)
    if (!known && before === changes) unknown.set(digest, now() + negativeMs)
    return known
  }

  async function load(): Promise<void> {
    const fresh: Tables = { digests: new Map(), entries: new Map() }
    for (const kind of kinds) {
      let after: string | undefined
      do {
        const page = await contact.heard(records.list(kind, { after, limit: PAGE }))
        for (const record of page.data) put(fresh, record, tables.entries.get(entryKey(kind, record.id)))
        after = page.next
      } while (after !== undefined)
    }
    for (const digest of tables.digests.keys()) if (!fresh.digests.has(digest)) gone.set(digest, true)
    tables = fresh
    loaded = true
    unknown.clear()
  }

  /**
   * Older than what is here already: left out. `known`: what is remembered of it elsewhere, which stays the same one where it did not
   * change, since others remember things by its principal.
   */
  function put({ digests, entries }: Tables, record: StoredRecord, known?: Entry): Entry | undefined {
    const kind = isOurs(record.kind) ? record.kind : 'key'
    const name = entryKey(kind, record.id)
    const before = entries.get(name)
    if (before && before.record.version > record.version) return before
    if (before && before.record.version === record.version) {
      delete before.changedAt
      return before
    }
    if (before) drop({ digests, entries }, name)
    const entry: Entry = known?.record.version === record.version ? known : { kind, id: record.id, record }
    delete entry.changedAt
    entries.set(name, entry)
    if (record.lookup !== undefined) digests.set(record.lookup, { entry, until: FOREVER })
    for (const { digest, until } of otherDigests(record)) digests.set(digest, { entry, until })
    return entry
  }

  function drop({ digests, entries }: Tables, name: string): void {
    const entry = entries.get(name)
    if (!entry) return
    entries.delete(name)
    const mine = [entry.record.lookup, ...otherDigests(entry.record).map(({ digest }) => digest)]
    for (const digest of mine) {
      if (digest === undefined || digests.get(digest)?.entry !== entry) continue
      digests.delete(digest)
      gone.set(digest, true)
    }
  }
}

const entryKey = (kind: DirectoryKind, id: string): string => `${kind}/${id}`
