/** The tables as queries see them. `migrations/` makes them; whoever adds a table adds its shape here. */
import type { Generated } from 'kysely'

/**
 * Integers come back as numbers from both databases, so what can pass 2^53 (sums of money) is selected as text:
 * `cast(sum(cost) as text)`. A bigint may be given as a value anywhere.
 */
export interface Tables {
  records: RecordsTable
  changes: ChangesTable
  audit: AuditTable
  audit_head: AuditHeadTable
}

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
  seq: Generated<number>
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
