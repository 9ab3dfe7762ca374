/** Pages of calls, newest first, from entries that are at hand. */
import type { EntryPage, LedgerEntry, RecentQuery } from '../../core/ledger.ts'
import { matches } from './usage-sums.ts'

export function recentOf(found: Iterable<LedgerEntry>, query: RecentQuery): EntryPage {
  const { limit } = query
  const chosen = [...found]
    .filter((entry) => isChosen(entry, query))
    .sort((one, other) => other.at - one.at || (one.id < other.id ? 1 : -1))
  const entries = chosen.slice(0, limit)
  const last = entries.at(-1)
  return chosen.length > limit && last ? { entries, next: { at: last.at, id: last.id } } : { entries }
}

function isChosen(entry: LedgerEntry, { where = {}, state, status, least, after, ...span }: RecentQuery): boolean {
  const { settlement, at, id } = entry
  if (after && (at > after.at || (at === after.at && (after.id === undefined || id >= after.id)))) return false
  if (!matches(entry, { from: span.from ?? Number.NEGATIVE_INFINITY, to: span.to ?? Number.POSITIVE_INFINITY, where })) return false
  if (state !== undefined && (settlement?.state ?? 'running') !== state) return false
  if (status && !(settlement && settlement.status >= status[0] && settlement.status <= status[1])) return false
  if (!least) return true
  const amount = settlement?.[least.of]
  return amount !== undefined && amount >= least.nanos
}
