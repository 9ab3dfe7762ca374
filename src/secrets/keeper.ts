/** Values in memory: when each is to be read again, and for how long one holds that cannot be read. */
import type { SecretProblem, SecretReference } from '../core/secret-reference.ts'
import type { SecretChange, SecretState } from './secrets.ts'
import { problemOf, type SecretReading } from './source.ts'

export interface KeeperOptions {
  /** As configured at the moment. */
  timing(): { readonly rereadMs: number; readonly fileMs: number; readonly keepMs: number }
  now(): number
  read(reference: SecretReference, organisation: string | undefined): Promise<SecretReading>
  changed(change: SecretChange): void
  tell(line: string): void
}

/** What came of reading a reference. */
export interface Reading {
  readonly reference: SecretReference
  readonly result: SecretReading | SecretProblem
}

export interface Keeper {
  /** These and no others, as they were read just now. */
  adopt(readings: ReadonlyMap<string, Reading>): void
  /** Reads one anew, if it is wanted. */
  readNow(reference: string, organisation: string | undefined): Promise<void>
  current(reference: string, organisation?: string): string | undefined
  organisationsOf(reference: string): ReadonlySet<string>
  /** Begins to read what is due. */
  tick(): void
  state(): readonly SecretState[]
}

interface Entry {
  readonly text: string
  readonly reference: SecretReference
  readonly organisation: string | undefined
  value: string | undefined
  version: string | undefined
  readAt: number | undefined
  expiresAt: number | undefined
  dueAt: number
  failures: number
  problem: SecretProblem | undefined
  reading: Promise<void> | undefined
  /** It changed while it was being read. */
  again: boolean
}

const FIRST_RETRY_MS = 1_000
const none: ReadonlySet<string> = new Set()

export function keeper({ timing, now, read, changed, tell }: KeeperOptions): Keeper {
  /** By reference. */
  const shared = new Map<string, Entry>()
  /** By reference, then organisation. */
  const own = new Map<string, Map<string, Entry>>()
  const owners = new Map<string, Set<string>>()

  const all = function* (): Generator<Entry> {
    yield* shared.values()
    for (const entries of own.values()) yield* entries.values()
  }

  const made = (text: string, reference: SecretReference, organisation?: string): Entry => ({
    text,
    reference,
    organisation,
    value: undefined,
    version: undefined,
    readAt: undefined,
    expiresAt: undefined,
    dueAt: 0,
    failures: 0,
    problem: undefined,
    reading: undefined,
    again: false,
  })

  function put(entry: Entry, value: string | undefined): void {
    const { value: previous, text, organisation } = entry
    if (value === previous) return
    entry.value = value
    if (organisation !== undefined) {
      const set = owners.get(text) ?? new Set()
      owners.set(text, set)
      if (value === undefined) set.delete(organisation)
      else set.add(organisation)
    }
    changed({ reference: text, organisation, previous, value })
  }

  /** Those who ask while it is being read wait for another reading: what they know of may have come after this one. */
  function refresh(entry: Entry): Promise<void> {
    if (entry.reading) {
      entry.again = true
      return entry.reading
    }
    entry.reading = readOnce(entry).finally(() => {
      entry.reading = undefined
    })
    return entry.reading
  }

  async function readOnce(entry: Entry): Promise<void> {
    do {
      entry.again = false
      try {
        succeeded(entry, await read(entry.reference, entry.organisation))
      } catch (error) {
        failed(entry, problemOf(error))
      }
    } while (entry.again)
  }

  function succeeded(entry: Entry, { value, version, expiresAt }: SecretReading): void {
    const at = now()
    if (entry.problem) tell(`${entry.text}: read again`)
    const dueAt = nextOf(entry.reference, at, expiresAt)
    Object.assign(entry, { version, expiresAt, readAt: at, failures: 0, problem: undefined, dueAt })
    put(entry, value)
  }

  function nextOf({ scheme }: SecretReference, at: number, expiresAt: number | undefined): number {
    // The environment of a process stays as it is.
    if (scheme === 'env') return Number.POSITIVE_INFINITY
    const { rereadMs, fileMs } = timing()
    if (scheme === 'file') return at + fileMs
    // Replicas do not all ask at the same time.
    const usual = at + rereadMs * (0.9 + Math.random() * 0.2)
    return expiresAt === undefined ? usual : Math.min(usual, at + Math.max(1_000, ((expiresAt - at) * 2) / 3))
  }

  function failed(entry: Entry, problem: SecretProblem): void {
    const at = now()
    if (entry.problem?.message !== problem.message && entry.value !== undefined)
      tell(`${entry.text}: ${problem.message}; the last value stays in use`)
    entry.problem = problem
    const { scheme } = entry.reference
    const { rereadMs, fileMs } = timing()
    const wait = scheme === 'file' ? fileMs : Math.min(rereadMs, FIRST_RETRY_MS * 2 ** Math.min(entry.failures, 20))
    entry.failures++
    entry.dueAt = scheme === 'env' ? Number.POSITIVE_INFINITY : at + wait
    if (entry.value === undefined) return
    // Our own store is sure of what it has; elsewhere, what is gone for a moment may be somebody's mistake.
    const gone = problem.fault === 'unset' && (scheme === 'secret' || scheme === 'env')
    if (gone || expired(entry, at)) {
      if (!gone) tell(`${entry.text}: not read for too long; its value is not used any more`)
      put(entry, undefined)
    }
  }

  const expired = ({ readAt = 0, expiresAt }: Entry, at: number): boolean =>
    at - readAt > timing().keepMs || (expiresAt !== undefined && at >= expiresAt)

  return {
    adopt(readings) {
      for (const text of shared.keys()) if (!readings.has(text)) shared.delete(text)
      for (const text of own.keys()) {
        if (readings.has(text)) continue
        own.delete(text)
        owners.delete(text)
      }
      for (const [text, { reference, result }] of readings) {
        const entry = shared.get(text) ?? made(text, reference)
        shared.set(text, entry)
        if ('fault' in result) failed(entry, result)
        else succeeded(entry, result)
      }
    },
    async readNow(text, organisation) {
      const entry = shared.get(text)
      if (!entry) return
      if (organisation === undefined) return await refresh(entry)
      const entries = own.get(text) ?? new Map<string, Entry>()
      own.set(text, entries)
      const theirs = entries.get(organisation) ?? made(text, entry.reference, organisation)
      entries.set(organisation, theirs)
      await refresh(theirs)
      if (theirs.value === undefined && theirs.problem?.fault === 'unset') entries.delete(organisation)
    },
    current: (text, organisation) => (organisation === undefined ? shared.get(text) : own.get(text)?.get(organisation))?.value,
    organisationsOf: (text) => owners.get(text) ?? none,
    tick() {
      const at = now()
      for (const entry of all()) if (at >= entry.dueAt && !entry.reading) void refresh(entry)
    },
    state: () =>
      [...all()].map(({ text, organisation, value, version, readAt, expiresAt, problem }) => ({
        reference: text,
        known: value !== undefined,
        ...(organisation !== undefined && { organisation }),
        ...(version !== undefined && { version }),
        ...(readAt !== undefined && { readAt }),
        ...(expiresAt !== undefined && { expiresAt }),
        ...(problem && { problem }),
      })),
  }
}
