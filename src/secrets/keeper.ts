/** Values in memory: when each is to be read again, and for how long one holds that cannot be read. */
import type { SecretProblem, SecretReference } from '../core/secret-reference.ts'
import type { SecretChange, SecretState } from './secrets.ts'
import { problemOf, type SecretReading } from './source.ts'

export interface KeeperOptions {
  readonly rereadMs: number
  readonly fileMs: number
  readonly keepMs: number
  now(): number
  read(reference: SecretReference, organisation: string | undefined): Promise<SecretReading>
  changed(change: SecretChange): void
  tell(line: string): void
}

export interface Keeper {
  /** These and no others. Resolves with the problems of those that have no value. */
  want(references: ReadonlyMap<string, SecretReference>): Promise<ReadonlyMap<string, SecretProblem>>
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

export function keeper({ rereadMs, fileMs, keepMs, now, read, changed, tell }: KeeperOptions): Keeper {
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
        const { value, version, expiresAt } = await read(entry.reference, entry.organisation)
        const at = now()
        if (entry.problem) tell(`${entry.text}: read again`)
        Object.assign(entry, {
          version,
          expiresAt,
          readAt: at,
          failures: 0,
          problem: undefined,
          dueAt: nextOf(entry.reference, at, expiresAt),
        })
        put(entry, value)
      } catch (error) {
        failed(entry, problemOf(error))
      }
    } while (entry.again)
  }

  function nextOf({ scheme }: SecretReference, at: number, expiresAt: number | undefined): number {
    // The environment of a process stays as it is.
    if (scheme === 'env') return Number.POSITIVE_INFINITY
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
    at - readAt > keepMs || (expiresAt !== undefined && at >= expiresAt)

  return {
    async want(references) {
      for (const text of shared.keys()) if (!references.has(text)) shared.delete(text)
      for (const text of own.keys()) {
        if (references.has(text)) continue
        own.delete(text)
        owners.delete(text)
      }
      for (const [text, reference] of references) if (!shared.has(text)) shared.set(text, made(text, reference))
      await Promise.all([...shared.values()].map(refresh))
      const problems = new Map<string, SecretProblem>()
      for (const { text, value, problem } of shared.values()) if (value === undefined && problem) problems.set(text, problem)
      return problems
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
