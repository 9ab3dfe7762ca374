/** What the ledgers of this folder offer beyond the port. */
import type { Ledger, LedgerEntry, UsageQuery } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'

/** Whose spending: entries with all of these values, and one of these names where they are given. */
export interface SpentSelector {
  readonly where: NonNullable<UsageQuery['where']>
  /** As clients named them. */
  readonly requestedModels?: readonly string[]
}

export interface StoreLedger extends Ledger {
  /** What was charged for ended calls, lost ones included, by the time of opening; `to` excluded. Running ones are the counters' business. */
  spent(selector: SpentSelector, from: number, to: number): Promise<Nanos>
  /** Writes what is buffered to the journal, at once. Costs nothing when there is nothing. */
  commit(): void
  /** Resolves when what was told of this call is as durable as the configuration asks. */
  settled(id: string): Promise<void>
  /** Resolves with what the first recovery found to be lost. Later finds, and these too, are told to `onLost`. */
  readonly recovered: Promise<readonly LedgerEntry[]>
  readonly state: LedgerState
}

/** For metrics and readiness. */
export interface LedgerState {
  /** Entries in memory on their way to the database. */
  readonly waiting: number
  /** More wait in the journal than fit in memory: the database is away or slow. */
  readonly behind: boolean
  /** Records that the journal could not take. */
  readonly unwritten: number
  readonly refused: number
  readonly dropped: number
}
