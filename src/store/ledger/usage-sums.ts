/** Sums of usage by any dimensions, from entries one by one or from sums that a database made. */
import type { LedgerEntry, UsageDimension, UsageQuery, UsageRow } from '../../core/ledger.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }
export type Sums = Mutable<Omit<UsageRow, 'by'>>
export type Dimensions = Readonly<Partial<Record<UsageDimension, string | undefined>>>

export const HOUR_MS = 3_600_000

export function noSums(): Sums {
  return {
    ...{ requests: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    ...{ cost: 0n, charge: 0n, estimated: 0, unpriced: 0 },
  }
}

export function addSums(sums: Sums, more: Readonly<Sums>): void {
  sums.requests += more.requests
  sums.inputTokens += more.inputTokens
  sums.outputTokens += more.outputTokens
  sums.cacheReadTokens += more.cacheReadTokens
  sums.cacheWriteTokens += more.cacheWriteTokens
  sums.reasoningTokens += more.reasoningTokens
  sums.cost += more.cost
  sums.charge += more.charge
  sums.estimated += more.estimated
  sums.unpriced += more.unpriced
}

export function sumsOf(entry: LedgerEntry): Sums {
  const sums = noSums()
  addEntry(sums, entry)
  return sums
}

export function addEntry(sums: Sums, { settlement }: LedgerEntry): void {
  sums.requests++
  if (!settlement) return
  const { usage, cost, charge, estimated } = settlement
  if (usage) {
    sums.inputTokens += usage.input ?? 0
    sums.outputTokens += usage.output ?? 0
    sums.cacheReadTokens += usage.cacheRead ?? 0
    sums.cacheWriteTokens += usage.cacheWrite ?? 0
    sums.reasoningTokens += usage.reasoning ?? 0
  }
  if (cost === undefined) sums.unpriced++
  else sums.cost += cost
  if (charge !== undefined) sums.charge += charge
  if (estimated) sums.estimated++
}

/** `2026-11-21` and `2026-11-21T14:00:00Z`, in UTC. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
export const hourOf = (at: number): string => `${new Date(at).toISOString().slice(0, 13)}:00:00Z`

/** All but `tag`, of which an entry may have several. */
export function dimensionOf(entry: LedgerEntry, dimension: Exclude<UsageDimension, 'tag'>): string | undefined {
  const { settlement } = entry
  switch (dimension) {
    case 'day':
      return dayOf(entry.at)
    case 'hour':
      return hourOf(entry.at)
    case 'model':
      return settlement?.model ?? entry.model
    case 'provider':
      return settlement?.provider ?? entry.provider
    case 'region':
      return settlement?.region
    case 'status':
      return settlement && String(settlement.status)
    default:
      return entry[dimension]
  }
}

/** Whether an entry is within the times and has the values. */
export function matches(entry: LedgerEntry, { from, to, where = {} }: Omit<UsageQuery, 'by'>): boolean {
  if (entry.at < from || entry.at >= to) return false
  for (const [name, value] of Object.entries(where) as [UsageDimension, string | undefined][]) {
    if (value === undefined) continue
    if (name === 'tag' ? !entry.tags?.includes(value) : dimensionOf(entry, name) !== value) return false
  }
  return true
}

/** Rows of one answer, found by their values. */
export class SumsTable {
  readonly #by: readonly UsageDimension[]
  readonly #rows = new Map<string, { readonly by: Dimensions; readonly sums: Sums }>()

  constructor(by: readonly UsageDimension[]) {
    this.#by = [...new Set(by)]
  }

  /** An entry with several tags counts in the row of each. */
  add(values: Dimensions, tags: readonly string[] | undefined, sums: Readonly<Sums>): void {
    if (!this.#by.includes('tag')) this.#add(values, undefined, sums)
    else if (!tags || tags.length === 0) this.#add(values, undefined, sums)
    else for (const tag of new Set(tags)) this.#add(values, tag, sums)
  }

  #add(values: Dimensions, tag: string | undefined, sums: Readonly<Sums>): void {
    const key = JSON.stringify(this.#by.map((name) => (name === 'tag' ? tag : values[name]) ?? null))
    let row = this.#rows.get(key)
    if (!row) {
      const by: Record<string, string | undefined> = {}
      for (const name of this.#by) by[name] = name === 'tag' ? tag : values[name]
      row = { by, sums: noSums() }
      this.#rows.set(key, row)
    }
    addSums(row.sums, sums)
  }

  /** In the order of their values. */
  rows(): UsageRow[] {
    const found = [...this.#rows.values()].map(({ by, sums }) => ({ by, ...sums }))
    return found.sort((a, b) => {
      for (const name of this.#by) {
        const one = a.by[name] ?? ''
        const other = b.by[name] ?? ''
        if (one !== other) return one < other ? -1 : 1
      }
      return 0
    })
  }
}
