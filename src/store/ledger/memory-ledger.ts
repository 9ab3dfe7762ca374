/** The ledger that ends with its process. Bounded: the newest entries are whole, older ones are sums per hour, the oldest sums go. */
import type { LedgerEntry, Opening, UsageDimension, UsageQuery, UsageRow } from '../../core/ledger.ts'
import type { SpentSelector, StoreLedger } from './ledger.ts'
import { recentOf } from './recent-of.ts'
import { addEntry, type Dimensions, dimensionOf, HOUR_MS, hourOf, matches, type Sums, SumsTable, sumsOf } from './usage-sums.ts'

export interface MemoryLedgerOptions {
  /** Entries kept whole once they have ended. Default 10,000. */
  readonly entries?: number
  /** Sums kept, each of one hour and one set of dimensions. Default 20,000. */
  readonly sums?: number
  /** It ends with the process, so that its openings need no estimate. */
  readonly forgets?: boolean
}

interface Summed {
  readonly at: number
  /** Of any of its entries: all that is asked of it is the same for each. */
  readonly like: LedgerEntry
  readonly sums: Sums
}

const dimensions = 'key alias user organisation team project tier route requestedModel model provider region status'.split(
  ' ',
) as readonly Exclude<UsageDimension, 'tag'>[]

export function createMemoryLedger({
  entries: most = 10_000,
  sums: mostSums = 20_000,
  forgets = false,
}: MemoryLedgerOptions = {}): StoreLedger {
  const running = new Map<string, Opening>()
  const ended = new Map<string, LedgerEntry>()
  /** Ids of the ended, the oldest at `next`. A map that loses its first key again and again is slow to tell its first. */
  const order: string[] = []
  let next = 0
  /** The oldest hour first, as entries end roughly in their order. */
  const summed = new Map<string, Summed>()

  function fold(entry: LedgerEntry): void {
    const hour = Math.floor(entry.at / HOUR_MS) * HOUR_MS
    let key = `${hour}`
    for (const dimension of dimensions) key += `\0${dimensionOf(entry, dimension) ?? ''}`
    if (entry.tags) key += `\0${entry.tags.join('\0')}`
    const known = summed.get(key)
    if (known) {
      addEntry(known.sums, entry)
      return
    }
    summed.set(key, { at: hour, like: shapeOf(entry), sums: sumsOf(entry) })
    if (summed.size > mostSums) summed.delete(summed.keys().next().value!)
  }

  function* sources({ from, to, where }: Omit<UsageQuery, 'by'>): Generator<readonly [LedgerEntry, Sums]> {
    const query = { from, to, ...(where && { where }) }
    // An hour counts where its beginning is.
    for (const { like, sums } of summed.values()) if (matches(like, query)) yield [like, sums]
    for (const entry of ended.values()) if (matches(entry, query)) yield [entry, sumsOf(entry)]
    for (const entry of running.values()) if (matches(entry, query)) yield [entry, sumsOf(entry)]
  }

  return {
    open(entry) {
      if (!ended.has(entry.id)) running.set(entry.id, entry)
    },
    settle(settlement) {
      const opening = running.get(settlement.id)
      if (!opening) return
      running.delete(settlement.id)
      ended.set(settlement.id, { ...opening, settlement })
      const oldest = order[next]
      order[next] = settlement.id
      next = (next + 1) % most
      if (oldest === undefined) return
      const entry = ended.get(oldest)!
      ended.delete(oldest)
      fold(entry)
    },
    commit: () => {},
    settled: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    async usage(query): Promise<readonly UsageRow[]> {
      const table = new SumsTable(query.by)
      for (const [entry, sums] of sources(query)) {
        const values: Record<string, string | undefined> = {}
        for (const name of query.by) if (name !== 'tag') values[name] = dimensionOf(entry, name)
        table.add(values as Dimensions, entry.tags, sums)
      }
      return table.rows()
    },
    find: async (id) => ended.get(id) ?? running.get(id),
    async *entries(query) {
      const found = [...ended.values(), ...running.values()].filter((entry) => matches(entry, query))
      found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
      for (let start = 0; start < found.length; start += 500) yield found.slice(start, start + 500)
    },
    recent: async (query) => recentOf([...ended.values(), ...running.values()], query),
    async spent({ where, requestedModels }: SpentSelector, from, to) {
      let spent = 0n
      for (const [entry, { charge }] of sources({ from, to, where })) {
        if (!requestedModels || requestedModels.includes(entry.requestedModel)) spent += charge
      }
      return spent
    },
    forgets,
    recovered: Promise.resolve([]),
    get state() {
      return { waiting: 0, behind: false, unwritten: 0, refused: 0, dropped: 0 }
    },
    close: async () => {},
  }
}

/** What queries ask of it, without what only it has. */
function shapeOf({ settlement, ...opening }: LedgerEntry): LedgerEntry {
  const hour = Date.parse(hourOf(opening.at))
  return settlement
    ? {
        ...opening,
        at: hour,
        settlement: {
          ...{ id: opening.id, endedAt: hour, state: settlement.state, status: settlement.status },
          ...(settlement.provider !== undefined && { provider: settlement.provider }),
          ...(settlement.model !== undefined && { model: settlement.model }),
          ...(settlement.region !== undefined && { region: settlement.region }),
          ...{ estimated: false, attempts: 0, totalMs: 0 },
        },
      }
    : { ...opening, at: hour }
}
