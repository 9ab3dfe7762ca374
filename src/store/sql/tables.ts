/**
 * The tables as rows of queries. `migrations/` makes them; whoever adds a table adds its shape here. Integers come back as numbers from
 * both databases, so what can pass 2^53 (sums of money) is selected as text: `cast(sum(cost) as text)`. A bigint may be given as a value.
 */

export interface RecordsTable {
  kind: string
  id: string
  lookup: string | null
  organisation: string | null
  version: number
  /** JSON. */
  data: string
  created_at: number
  updated_at: number
}

/** The newest change of each record, removals included: a reader that was away for days still learns of all that happened. */
export interface ChangesTable {
  seq: number
  kind: string
  id: string
  /** Milliseconds since 1970. */
  at: number
}

export interface AuditTable {
  seq: number
  at: number
  actor: string
  action: string
  subject: string
  organisation: string | null
  ip: string | null
  /** Canonical JSON. */
  detail: string | null
  previous: string
  hash: string
}

/** One row: where the chain ends. It is the lock of those who append, and what a cut tail is told by. */
export interface AuditHeadTable {
  one: number
  seq: number
  hash: string
}

export interface LedgerEntriesTable {
  id: string
  /** Of the process or thread that opened it. */
  instance: string
  at: number
  /** 0 running, 1 lost, 2 settled: it only grows. */
  state: number
  key_id: string | null
  alias: string | null
  user_id: string | null
  organisation: string | null
  team: string | null
  project: string | null
  /** JSON, in order. */
  tags: string | null
  tier: string | null
  route: string | null
  requested_model: string | null
  model: string | null
  provider: string | null
  region: string | null
  status: number | null
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  reasoning_tokens: number | null
  /** Nano-dollars. */
  cost: bigint | null
  charge: bigint | null
  estimated: number
  /** JSON. */
  opening: string | null
  settlement: string | null
}

export interface LedgerInstancesTable {
  id: string
  /** The data directory's id. */
  directory: string
  seen_at: number
}

/** Days of the ledger that are summed in `ledger_sums`, or were and must be again. */
export interface LedgerDaysTable {
  /** Its beginning, UTC. */
  day: number
  /** Grows with everything that comes too late for the sums. */
  generation: number
  /** 0 no, 1 yes, 2 not worth it: the entries are nearly as few. */
  summed: number
  /** Which rows of `ledger_sums` are its sums. */
  run: number | null
}

/** Whoever sums a day writes rows of a run of their own, piece by piece; they count once the day names the run. */
export interface LedgerSumsTable {
  run: number
  day: number
}
