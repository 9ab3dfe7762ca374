/**
 * The keys of providers while their secrets change: a new value takes its predecessor's place at once, and the old one
 * stays at the end of the list until the new one has been seen to work, or the overlap is over.
 */
import type { Credentials } from '../core/credentials.ts'
import type { SecretChange, Secrets } from './secrets.ts'

export interface ProviderKeysOptions {
  readonly secrets: Pick<Secrets, 'current' | 'watch' | 'organisationsOf'>
  /** Milliseconds, as configured at the moment. */
  readonly overlapMs: number | (() => number)
  /** While an old key is left, `changed` is called so often: a new key that the provider refused may be known to it by now. Milliseconds. Default 5,000. */
  readonly retryMs?: number
  readonly now?: () => number
  /** The number of keys of some provider may be another one now. */
  changed?(): void
}

export interface ProviderKeys {
  /** References in order, by provider. Where they are the same as before, what is known of earlier keys stays. */
  configure(references: ReadonlyMap<string, readonly string[]>): void
  /** Undefined for providers without references. */
  of(provider: string): Credentials | undefined
  /** For the health of keys; 1 for providers without. */
  counts(): ReadonlyMap<string, number>
  stop(): void
}

type ListOptions = Required<Omit<ProviderKeysOptions, 'retryMs' | 'overlapMs'>> & { overlapMs(): number }

/** An old key that may still be used. */
interface Old {
  readonly reference: string
  readonly value: string
  readonly until: number
}

/** Old keys are taken out of texts for so long after their end: answers to calls that were made with them may still come. */
const SCRUB_MS = 3_600_000

export function createProviderKeys({
  secrets,
  overlapMs: overlap,
  retryMs = 5_000,
  now = Date.now,
  changed,
}: ProviderKeysOptions): ProviderKeys {
  const overlapMs = typeof overlap === 'number' ? () => overlap : overlap
  const lists = new Map<string, KeyList>()
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Wakes when an overlap ends, and from time to time while one lasts. */
  function arm(): void {
    clearTimeout(timer)
    const soonest = Math.min(...[...lists.values()].map((list) => list.nextEnd()))
    if (soonest === Number.POSITIVE_INFINITY) return
    timer = setTimeout(tick, Math.max(1, Math.min(soonest - now(), retryMs)))
    timer.unref()
  }
  function tick(): void {
    for (const list of lists.values()) if (list.nextEnd() <= now()) list.build()
    told()
  }
  function told(): void {
    arm()
    changed?.()
  }

  const stop = secrets.watch((change) => {
    for (const list of lists.values()) list.note(change)
    told()
  })

  return {
    configure(references) {
      for (const id of lists.keys()) if (!references.get(id)?.length) lists.delete(id)
      for (const [id, own] of references) {
        if (own.length === 0) continue
        // Calls that run under the configuration before go on with its list: new keys may be for another host.
        if (!same(lists.get(id)?.references ?? [], own)) lists.set(id, new KeyList(own, { secrets, overlapMs, now, changed: told }))
        lists.get(id)?.build()
      }
      arm()
    },
    of: (provider) => lists.get(provider),
    counts: () => new Map([...lists].map(([id, { keys }]) => [id, Math.max(1, keys.length)])),
    stop() {
      clearTimeout(timer)
      stop()
    },
  }
}

class KeyList implements Credentials {
  readonly references: readonly string[]
  keys: readonly string[] = []
  version = 0
  known: readonly string[] = []
  /** Reference of each place that is not an old key's. */
  #places: readonly string[] = []
  #old: Old[] = []
  #gone: { readonly value: string; readonly until: number }[] = []
  readonly #options: ListOptions
  readonly #organisation: string | undefined
  readonly #theirs = new Map<string, KeyList>()

  constructor(references: readonly string[], options: ListOptions, organisation?: string) {
    this.references = references
    this.#options = options
    this.#organisation = organisation
  }

  of(organisation: string): Credentials | undefined {
    const theirs = this.#theirs.get(organisation)
    return theirs && theirs.keys.length > 0 ? theirs : undefined
  }

  note(change: SecretChange): void {
    const { reference, previous, organisation } = change
    if (!this.references.includes(reference)) return
    if (organisation !== this.#organisation) {
      if (this.#organisation === undefined) this.build(change)
      return
    }
    if (previous !== undefined) {
      const at = this.#options.now()
      this.#gone.push({ value: previous, until: at + this.#options.overlapMs() + SCRUB_MS })
      // What was removed is not to be used any more: only what was replaced overlaps.
      if (change.value !== undefined) this.#old.push({ reference, value: previous, until: at + this.#options.overlapMs() })
    }
    this.build()
  }

  worked(place: number, version: number): void {
    if (this.#old.length === 0 || version !== this.version) return
    const reference = this.#places[place]
    if (reference === undefined || !this.#old.some((old) => old.reference === reference)) return
    this.#old = this.#old.filter((old) => old.reference !== reference)
    this.build()
    this.#options.changed()
  }

  nextEnd(): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...this.#old.map(({ until }) => until),
      ...[...this.#theirs.values()].map((theirs) => theirs.nextEnd()),
    )
  }

  /** Puts the list together anew; the version changes only if it does. */
  build(change?: SecretChange): void {
    const { secrets, now } = this.#options
    const at = now()
    const keys: string[] = []
    const places: string[] = []
    for (const reference of this.references) {
      const value = secrets.current(reference, this.#organisation)
      if (value === undefined || keys.includes(value)) continue
      keys.push(value)
      places.push(reference)
    }
    this.#old = this.#old.filter(
      ({ reference, value, until }) => until > at && this.references.includes(reference) && !keys.includes(value),
    )
    for (const { value } of this.#old) if (!keys.includes(value)) keys.push(value)
    this.#gone = this.#gone.filter(({ until }) => until > at)
    this.#places = places
    const known = [...new Set([...keys, ...this.#gone.map(({ value }) => value)])]
    if (!same(keys, this.keys)) {
      // Keys that fall out without a successor may still be on their way.
      for (const value of this.keys) if (!known.includes(value)) this.#gone.push({ value, until: at + SCRUB_MS })
      this.keys = keys
      this.version++
    }
    this.known = [...new Set([...known, ...this.#gone.map(({ value }) => value)])]
    if (this.#organisation === undefined) this.#buildTheirs(change)
  }

  #buildTheirs(change: SecretChange | undefined): void {
    const { secrets } = this.#options
    const organisations = new Set(this.references.flatMap((reference) => [...secrets.organisationsOf(reference)]))
    for (const organisation of organisations)
      if (!this.#theirs.has(organisation)) this.#theirs.set(organisation, new KeyList(this.references, this.#options, organisation))
    for (const [organisation, theirs] of this.#theirs) {
      if (change?.organisation === organisation) theirs.note(change)
      else theirs.build()
    }
  }
}

const same = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((value, index) => value === others[index])
