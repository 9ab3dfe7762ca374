/**
 * Keys that are given another secret every so often, by the gateway itself. The new one opens the key before it is put where the key's holder
 * looks for it, and the old one ends only after that: whatever breaks off in between, nobody is left with a key that does not open.
 */
import type { AuditEvent } from '../../core/audit.ts'
import { GatewayError } from '../../core/error.ts'
import type { RecordStore, StoredRecord } from '../../core/records.ts'
import type { AccessCrypto } from './access-crypto.ts'
import { promotedKey, rotatesAt, succeededKey, successorOf } from './key-record.ts'

export interface RotationSettings {
  /** A reference with `{id}` in it, where the id of the key is put. */
  readonly to: string
  /** So long the key before works on. Milliseconds. */
  readonly overlapMs: number
}

export interface RotationOptions {
  readonly records: RecordStore
  readonly crypto: AccessCrypto
  /** Puts a secret where the holder of the key finds it. Rejects with the reason, which must not hold the secret. */
  deliver(destination: string, secret: string): Promise<void>
  audit(event: AuditEvent): void
  /** Tells the operator: one line. */
  tell(line: string): void
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** Until every replica knows of a successor. Default 5,000 ms. */
  readonly settleMs?: number
  /** Between two looks at the keys. Default 10 minutes. */
  readonly everyMs?: number
}

export interface RotationSchedule {
  /** Undefined: no key is rotated by itself. */
  configure(settings: RotationSettings | undefined): void
  /** One look at all keys, and what is due is done. One at a time. */
  run(): Promise<void>
  stop(): Promise<void>
}

interface Held {
  readonly digest: string
  readonly secret: string
  /** Why it could not be delivered, as it was told. */
  trouble?: string
}

/** Keys that are looked at, and rotated, together. */
const PAGE = 200
/** Deliveries. */
const AT_A_TIME = 8
/** A successor that has not been delivered for so long was left by a process that is gone. */
const ABANDONED_MS = 900_000
const TRIES = 5
/** What is being delivered when the gateway stops may take so long. Whatever breaks off is found by the next process. */
const PARTING_MS = 2_000

export function rotationSchedule(options: RotationOptions): RotationSchedule {
  const { records, crypto, deliver, audit, tell, now = Date.now, settleMs = 5_000, everyMs = 600_000 } = options
  /** Made here and not delivered yet: by the id of the key. */
  const held = new Map<string, Held>()
  let settings: RotationSettings | undefined
  let running: Promise<void> | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  let endSettling: (() => void) | undefined
  let stopped = false

  async function look(current: RotationSettings): Promise<void> {
    const seen = new Set<string>()
    let after: string | undefined
    do {
      const page = await records.list('key', { after, limit: PAGE })
      const due = page.data.filter(isDue)
      for (const { id } of due) seen.add(id)
      await rotate(due, current)
      after = page.next
    } while (after !== undefined && !stopped)
    // Rotated by hand, revoked, or without a schedule by now.
    if (!stopped) for (const id of held.keys()) if (!seen.has(id)) held.delete(id)
  }

  async function rotate(due: readonly StoredRecord[], { to, overlapMs }: RotationSettings): Promise<void> {
    const fresh = await Promise.all(due.map(prepared))
    if (fresh.includes(true) && !stopped) await settling()
    for (let at = 0; at < due.length && !stopped; at += AT_A_TIME)
      await Promise.all(
        due.slice(at, at + AT_A_TIME).map(async ({ id }) => {
          const made = held.get(id)
          if (made && (await current(id, made)) && (await delivered(id, made, to))) await promote(id, made, overlapMs)
        }),
      )
  }

  function isDue(record: StoredRecord): boolean {
    const at = rotatesAt(record)
    const expires = record.data['expiresAt']
    if (at === undefined || at > now() || (typeof expires === 'number' && expires <= now())) return false
    const next = successorOf(record)
    // Another replica is about to deliver it.
    return !next || held.has(record.id) || now() - next.since > ABANDONED_MS
  }

  /** True: there is a successor that not every replica knows of yet. */
  async function prepared(record: StoredRecord): Promise<boolean> {
    const mine = held.get(record.id)
    if (mine && successorOf(record)?.digest === mine.digest) return false
    held.delete(record.id)
    const { record: changed, digest, secret } = succeededKey(record, { crypto, now: now() })
    try {
      await records.update(changed)
    } catch (error) {
      if (isLost(error)) return false
      throw error
    }
    held.set(record.id, { digest, secret })
    return true
  }

  const settling = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, settleMs)
      endSettling = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  /** Not where another replica took this process for gone, nor after a rotation by hand: its place would be left with what ends soon. */
  async function current(id: string, { digest }: Held): Promise<boolean> {
    const record = await records.get('key', id)
    const is = record !== undefined && successorOf(record)?.digest === digest
    if (!is) held.delete(id)
    return is
  }

  async function delivered(id: string, made: Held, to: string): Promise<boolean> {
    try {
      await deliver(to.replaceAll('{id}', id), made.secret)
      return true
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (why === made.trouble) return false
      made.trouble = why
      tell(`the key ${id} is due for rotation, but its successor cannot be delivered (it is tried again; the key works on): ${why}`)
      audit({ actor: 'system', action: 'key.rotation-failed', subject: `key/${id}`, detail: { why } })
      return false
    }
  }

  async function promote(id: string, { digest }: Held, overlapMs: number): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const record = await records.get('key', id)
      const changed = record && promotedKey(record, digest, { now: now(), overlapMs })
      // Revoked, or rotated by hand meanwhile.
      if (!changed) break
      try {
        await records.update(changed)
        audit({
          actor: 'system',
          action: 'key.rotate',
          subject: `key/${id}`,
          ...(record.organisation && { organisation: record.organisation }),
        })
        break
      } catch (error) {
        if (!isLost(error)) throw error
      }
    }
    held.delete(id)
  }

  async function once(): Promise<void> {
    const current = settings
    if (!current || stopped) return
    try {
      await look(current)
    } catch (error) {
      tell(`keys that are due for rotation could not be looked after: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  const run = (): Promise<void> => {
    running ??= once().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    run,
    configure(next) {
      settings = next
      clearInterval(timer)
      timer = next && setInterval(() => void run(), everyMs).unref()
      if (next) void run()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      endSettling?.()
      if (running) await Promise.race([running, new Promise((over) => setTimeout(over, PARTING_MS).unref())])
    },
  }
}

/** Somebody else was faster, or the key is gone. */
const isLost = (error: unknown): boolean => error instanceof GatewayError && (error.id === 'conflict' || error.id === 'not-found')
