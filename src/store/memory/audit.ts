/** An audit log that lives as long as the process. */
import type { AuditEntry, AuditLog } from '../../core/audit.ts'
import { chained, checkChain, GENESIS } from '../audit-chain.ts'
import { auditPageSize } from '../record-rules.ts'

/** Entries kept: a process that runs for months must not grow without end. */
const MAX_ENTRIES = 100_000

export function createMemoryAudit({
  now = Date.now,
  max = MAX_ENTRIES,
}: {
  readonly now?: () => number
  readonly max?: number
} = {}): AuditLog {
  let entries: AuditEntry[] = []
  /** The entry before the first that is kept. */
  let before = { seq: 0, hash: GENESIS }
  return {
    async append(event) {
      entries.push(chained(event, entries.at(-1) ?? before, now()))
      if (entries.length < max * 1.1) return
      before = entries[entries.length - max - 1] as AuditEntry
      entries = entries.slice(-max)
    },
    async list({ organisation, after = 0, limit }) {
      const size = auditPageSize(limit)
      const found: AuditEntry[] = []
      for (let index = Math.max(0, after - before.seq); index < entries.length && found.length < size; index++) {
        const entry = entries[index] as AuditEntry
        if (organisation === undefined || entry.organisation === organisation) found.push(entry)
      }
      return found
    },
    async verify() {
      const check = checkChain(before)
      for (const entry of entries) if (!check.next(entry)) break
      return check.end(entries.at(-1) ?? before)
    },
  }
}
