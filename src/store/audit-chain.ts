/** The chain of the audit log: every entry's hash covers its content and the hash before it. */
import { createHash } from 'node:crypto'
import type { AuditEntry, AuditEvent } from '../core/audit.ts'
import type { Json } from '../core/json.ts'

/** What comes before the first entry. */
export const GENESIS = '0'.repeat(64)

/** Where a chain ends. */
export interface ChainHead {
  readonly seq: number
  readonly hash: string
}

export interface ChainVerdict {
  readonly entries: number
  readonly brokenAt?: number
  readonly why?: string
}

/** The entry that follows. Its content is brought into the form that it has when it is read again. */
export function chained(event: AuditEvent, head: ChainHead, at: number): AuditEntry {
  const content = {
    seq: head.seq + 1,
    at,
    actor: plain(event.actor),
    action: plain(event.action),
    subject: plain(event.subject),
    ...(event.organisation === undefined ? {} : { organisation: plain(event.organisation) }),
    ...(event.ip === undefined ? {} : { ip: plain(event.ip) }),
    ...(event.detail === undefined ? {} : { detail: JSON.parse(canonicalJson(event.detail)) as Readonly<Record<string, Json>> }),
    previous: head.hash,
  }
  return { ...content, hash: hashOf(content) }
}

/** Text as every database keeps it: no NUL, no half of a surrogate pair. */
const plain = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed()

export const hashOf = ({ previous, ...content }: Omit<AuditEntry, 'hash'>): string =>
  createHash('sha256')
    .update(previous)
    .update(canonicalJson(contentOf(content)))
    .digest('hex')

/** The members that count, whatever else an object carries. */
const contentOf = ({ seq, at, actor, action, subject, organisation, ip, detail }: Omit<AuditEntry, 'hash' | 'previous'>) => ({
  seq,
  at,
  actor,
  action,
  subject,
  organisation,
  ip,
  detail,
})

/** JSON with sorted members and no white space. Members that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}

export interface ChainCheck {
  /** Entries in the order of their numbers. False: broken, the rest need not be shown. */
  next(entry: AuditEntry): boolean
  /** After the last: `head` is where the chain is said to end. */
  end(head: ChainHead): ChainVerdict
}

/** `from`: the entry before the first that will be shown. */
export function checkChain(from: ChainHead = { seq: 0, hash: GENESIS }): ChainCheck {
  let last = from
  let broken: { readonly brokenAt: number; readonly why: string } | undefined
  const faultOf = (entry: AuditEntry): string | undefined => {
    const expected = last.seq + 1
    if (entry.seq > expected) return entry.seq === expected + 1 ? 'an entry is missing' : `${entry.seq - expected} entries are missing`
    if (entry.seq < expected) return 'its number exists twice'
    if (entry.previous !== last.hash) return 'it does not follow the entry before it'
    return entry.hash === hashOf(entry) ? undefined : 'its content was changed'
  }
  return {
    next(entry) {
      if (broken) return false
      const why = faultOf(entry)
      if (why === undefined) last = entry
      else broken = { brokenAt: Math.min(entry.seq, last.seq + 1), why }
      return why === undefined
    },
    end(head) {
      const entries = last.seq - from.seq
      if (broken) return { entries, ...broken }
      if (head.seq > last.seq) return { entries, brokenAt: last.seq + 1, why: 'the newest entries are missing' }
      if (head.seq < last.seq) return { entries, brokenAt: head.seq + 1, why: 'entries were added past the end' }
      return head.hash === last.hash ? { entries } : { entries, brokenAt: last.seq, why: 'it is not the one that the chain ends with' }
    },
  }
}
