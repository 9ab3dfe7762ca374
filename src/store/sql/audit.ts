/** The audit log in SQL: one chain, whoever appends. */
import type { AuditEntry, AuditEvent, AuditLog } from '../../core/audit.ts'
import type { Json } from '../../core/json.ts'
import { type ChainHead, canonicalJson, chained, checkChain, GENESIS } from '../audit-chain.ts'
import { auditPageSize } from '../record-rules.ts'
import type { Database } from './database.ts'
import { type Sql, sql } from './sql.ts'
import { rowsOf, type Steps } from './steps.ts'
import type { AuditTable } from './tables.ts'
import { storeUnavailable } from './trouble.ts'

/** Entries written in one transaction. */
const BATCH = 200
/** Entries read at a time by `verify`. */
const PAGE = 2_000
/** Appends that may wait for a database that does not answer. */
const MAX_WAITING = 10_000

interface Waiting {
  readonly event: AuditEvent
  readonly at: number
  done(): void
  failed(error: unknown): void
}

/** The database stays open: others use it. */
export function createSqlAudit(database: Database, { now = Date.now }: { readonly now?: () => number } = {}): AuditLog {
  const { kind, transaction } = database
  const end = sql<ChainHead>`select seq, hash from audit_head where one = 1`
  let waiting: Waiting[] = []
  let writing = false

  /** Those who append while a transaction runs share the next one. */
  async function write(): Promise<void> {
    writing = true
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, BATCH)
        waiting = waiting.slice(BATCH)
        try {
          await transaction(() => append(batch))
          for (const { done } of batch) done()
        } catch (error) {
          for (const { failed } of batch) failed(error)
        }
      }
    } finally {
      writing = false
    }
  }

  function* append(batch: readonly Waiting[]): Steps<void> {
    // The row is the lock. SQLite has its own from the start.
    const [row] = yield* rowsOf(kind === 'postgres' ? sql<ChainHead>`${end} for update` : end)
    let head: ChainHead = row ?? { seq: 0, hash: GENESIS }
    const entries: AuditEntry[] = []
    for (const { event, at } of batch) {
      const entry = chained(event, head, at)
      entries.push(entry)
      head = entry
    }
    yield sql`insert into audit (${columns}) values ${sql.join(entries.map(rowOf))}`
    yield sql`update audit_head set seq = ${head.seq}, hash = ${head.hash} where one = 1`
  }

  return {
    append(event) {
      if (waiting.length >= MAX_WAITING) return Promise.reject(storeUnavailable('The database does not keep up with the audit log.'))
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiting.push({ event, at: now(), done: resolve, failed: reject })
      if (!writing) void write()
      return promise
    },
    async list({ organisation, after = 0, limit }) {
      const inOrganisation = organisation === undefined ? sql`` : sql`and organisation = ${organisation}`
      const rows = await database.query(
        sql<AuditTable>`select ${columns} from audit where seq > ${after} ${inOrganisation} order by seq limit ${auditPageSize(limit)}`,
      )
      return rows.map(entryOf)
    },
    async verify() {
      // What is appended meanwhile is for the next time.
      const [head] = await database.query(end)
      if (!head) return { entries: 0, brokenAt: 1, why: 'the end of the chain is not known' }
      const check = checkChain()
      for (let after = 0; after < head.seq; ) {
        const page = await database.query(
          sql<AuditTable>`select ${columns} from audit where seq > ${after} and seq <= ${head.seq} order by seq limit ${PAGE}`,
        )
        if (!page.every((row) => check.next(entryOf(row)))) break
        after = page.at(-1)?.seq ?? head.seq
      }
      const verdict = check.end(head)
      return verdict.brokenAt === undefined ? { ...verdict, ...(await pastTheEnd()) } : verdict
    },
  }

  /** What the chain's end does not cover. One statement, so that both are of one moment. */
  async function pastTheEnd(): Promise<{ readonly brokenAt: number; readonly why: string } | undefined> {
    const [row] = await database.query(
      sql<{ seq: number; last: number | null }>`select seq, (select max(seq) from audit) as last from audit_head where one = 1`,
    )
    return row && (row.last ?? 0) > row.seq ? { brokenAt: row.seq + 1, why: 'entries were added past the end' } : undefined
  }
}

const columns = sql`seq, at, actor, action, subject, organisation, ip, detail, previous, hash`

const rowOf = (entry: AuditEntry): Sql => {
  const detail = entry.detail === undefined ? null : canonicalJson(entry.detail)
  const { seq, at, actor, action, subject, organisation = null, ip = null, previous, hash } = entry
  return sql`(${sql.join([seq, at, actor, action, subject, organisation, ip, detail, previous, hash])})`
}

const entryOf = (row: AuditTable): AuditEntry => ({
  seq: row.seq,
  at: row.at,
  actor: row.actor,
  action: row.action,
  subject: row.subject,
  ...(row.organisation === null ? {} : { organisation: row.organisation }),
  ...(row.ip === null ? {} : { ip: row.ip }),
  ...(row.detail === null ? {} : { detail: detailOf(row.detail) }),
  previous: row.previous,
  hash: row.hash,
})

/** What somebody broke by hand is still shown, as something that no hash fits. */
function detailOf(text: string): Readonly<Record<string, Json>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, Json>>
  } catch {
    return { unreadable: text }
  }
}
