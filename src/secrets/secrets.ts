/**
 * Every credential of a running gateway. References are resolved at start and kept in memory, where calls find them; what
 * may change is read again, and whoever uses a value is told when another one takes its place.
 */
import { GatewayError } from '../core/error.ts'
import { isProblem, parseSecretReference, type Secret, type SecretProblem, type SecretReference } from '../core/secret-reference.ts'
import type { BuiltIn, SecretRecord } from './built-in.ts'
import { type Keeper, keeper } from './keeper.ts'
import { problemOf, SecretError } from './source.ts'
import { createSources, type SourcesOptions } from './sources.ts'

export interface SecretsOptions extends SourcesOptions {
  /** Accept plain text in place of references. Default false. */
  readonly allowPlaintext?: boolean
  /** How often what lies elsewhere is read again. Milliseconds. Default 5 minutes. */
  readonly rereadMs?: number
  /** How often files are looked at. Milliseconds. Default 1,000. */
  readonly fileMs?: number
  /** A source that cannot be reached does not take a value away for so long. Milliseconds. Default 24 hours. */
  readonly keepMs?: number
  /** Stored secrets get a new data key when theirs is as old as that. Milliseconds. Absent: never. */
  readonly renewDataKeysMs?: number
  /** What the log should say: one line, without any value. */
  readonly tell?: (line: string) => void
}

export interface Wanted {
  readonly reference: string
  /** Where it stands in the configuration. */
  readonly path: string
}

export interface WantedProblem extends SecretProblem {
  readonly path: string
}

export interface SecretChange {
  readonly reference: string
  /** Whose it is; absent: everybody's. */
  readonly organisation?: string | undefined
  /** Undefined: there was none. */
  readonly previous: string | undefined
  /** Undefined: there is none any more. */
  readonly value: string | undefined
}

/** One reference as it is at the moment. */
export interface SecretState {
  readonly reference: string
  readonly organisation?: string
  readonly known: boolean
  readonly version?: string
  /** When it was last read well. Milliseconds since 1970. */
  readonly readAt?: number
  readonly expiresAt?: number
  /** Why it could not be read lately. */
  readonly problem?: SecretProblem
}

export interface Secrets {
  /**
   * Reads all of them and keeps them up to date; those of an earlier start that are not among them are forgotten. What
   * cannot be read comes back as a problem, and is tried again in the background.
   */
  start(wanted: readonly Wanted[]): Promise<readonly WantedProblem[]>
  /** Reads one now, whether it is kept or not. */
  resolve(reference: string, organisation?: string): Promise<Secret>
  /** From memory. With an organisation: only what that one has of its own. */
  current(reference: string, organisation?: string): string | undefined
  /** Organisations that have a value of their own for this reference. */
  organisationsOf(reference: string): ReadonlySet<string>
  /** Told of every change, after it is in force. Returns how to stop. */
  watch(listener: (change: SecretChange) => void): () => void
  state(): readonly SecretState[]

  /** The built-in store; its values go in and never come out. Rejects with GatewayErrors. */
  put(name: string, value: string, organisation?: string): Promise<SecretRecord>
  list(organisation?: string): Promise<readonly SecretRecord[]>
  remove(name: string, organisation?: string): Promise<boolean>
  /** Another master key from now on, by its reference; data keys are wrapped anew. May be broken off: it goes on by itself. */
  rotateMaster(reference: string): Promise<RotationResult>
  /** New data keys for what is older than that. */
  renewDataKeys(olderThanMs: number): Promise<{ readonly renewed: number }>
  close(): Promise<void>
}

export interface RotationResult {
  /** False: it is this master key already. */
  readonly changed: boolean
  readonly rewrapped: number
  /** Stored secrets that no master key at hand can open. */
  readonly failed: number
}

const TICK_MS = 1_000
const HOUR_MS = 3_600_000

export function createSecrets(options: SecretsOptions): Secrets {
  const {
    allowPlaintext = false,
    rereadMs = 300_000,
    fileMs = 1_000,
    keepMs = 86_400_000,
    renewDataKeysMs,
    tell = () => {},
    now = Date.now,
  } = options
  const sources = createSources(options)
  const listeners = new Set<(change: SecretChange) => void>()
  const kept: Keeper = keeper({
    rereadMs,
    fileMs,
    keepMs,
    now,
    tell,
    read: async (reference, organisation) => (await sources.of(reference.scheme)).read(reference, organisation),
    changed(change) {
      for (const listener of listeners) listener(change)
    },
  })
  let wantedNames = new Set<string>()
  let opened: Promise<BuiltIn> | undefined
  let unwatch: (() => void) | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  let nextChoreAt = 0
  /** The store could not be asked what organisations have. */
  let theirsMissing = false
  let busy: Promise<unknown> | undefined
  let closed = false

  function builtIn(): Promise<BuiltIn> {
    opened ??= sources.builtIn().then(
      ({ store }) => {
        if (!closed)
          unwatch = store.watch((name, organisation) => {
            if (wantedNames.has(name)) void kept.readNow(`secret:${name}`, organisation)
          })
        return store
      },
      (error) => {
        opened = undefined
        throw error
      },
    )
    return opened
  }

  /** What organisations have of their own under the names that are wanted. */
  async function findTheirs(): Promise<void> {
    theirsMissing = wantedNames.size > 0
    if (!theirsMissing || !sources.hasBuiltIn) return
    try {
      const store = await builtIn()
      const theirs = (await store.list()).filter(({ name, organisation }) => organisation !== undefined && wantedNames.has(name))
      theirsMissing = false
      await Promise.all(theirs.map(({ name, organisation }) => kept.readNow(`secret:${name}`, organisation)))
    } catch {
      // That the store is down is told of the references themselves.
      nextChoreAt = Math.min(nextChoreAt, now() + TICK_MS)
    }
  }

  /** Finishes a rotation that was broken off or configured, and renews data keys that are due. */
  async function chores(): Promise<void> {
    if (!sources.hasBuiltIn) return
    if (theirsMissing) await findTheirs()
    try {
      const store = await builtIn()
      if (await (await sources.builtIn()).keyring.refresh()) {
        const { rewrapped, failed } = await store.rewrap()
        tell(
          `master key: ${rewrapped} stored secrets wrapped anew${failed > 0 ? `, ${failed} cannot be opened by any master key at hand` : ''}`,
        )
      }
      if (renewDataKeysMs !== undefined) {
        const renewed = await store.renewDataKeys(renewDataKeysMs)
        if (renewed > 0) tell(`${renewed} stored secrets have new data keys`)
      }
    } catch (error) {
      tell(`stored secrets could not be looked after: ${problemOf(error).message}`)
    }
  }

  function tick(): void {
    kept.tick()
    if (now() < nextChoreAt || busy) return
    nextChoreAt = now() + Math.min(rereadMs, HOUR_MS)
    busy = chores().finally(() => {
      busy = undefined
      if (theirsMissing) nextChoreAt = Math.min(nextChoreAt, now() + TICK_MS)
    })
  }

  function begin(): void {
    if (timer || closed) return
    timer = setInterval(tick, Math.min(TICK_MS, fileMs, rereadMs))
    timer.unref()
  }

  async function forAdmin<T>(work: (store: BuiltIn) => Promise<T>): Promise<T> {
    try {
      return await work(await builtIn())
    } catch (error) {
      if (!(error instanceof SecretError)) throw error
      const id = error.fault === 'unreachable' ? 'store-unavailable' : 'conflict'
      throw new GatewayError(id, `${error.message}: ${error.remedy}`)
    }
  }

  return {
    async start(wanted) {
      begin()
      const references = new Map<string, SecretReference>()
      const problems = new Map<string, SecretProblem>()
      for (const { reference } of wanted) {
        const parsed = parseSecretReference(reference)
        if (parsed && !isProblem(parsed)) references.set(reference, parsed)
        else if (parsed) problems.set(reference, parsed)
        else if (!allowPlaintext) problems.set(reference, plaintext)
      }
      wantedNames = new Set([...references.values()].filter(({ scheme }) => scheme === 'secret').map(({ name }) => name))
      for (const [reference, problem] of await kept.want(references)) problems.set(reference, problem)
      await findTheirs()
      return wanted.flatMap(({ reference, path }) => {
        const problem = problems.get(reference)
        return problem ? [{ path, ...problem }] : []
      })
    },

    async resolve(reference, organisation) {
      const parsed = parseSecretReference(reference)
      if (!parsed) return allowPlaintext ? { value: reference } : plaintext
      if (isProblem(parsed)) return parsed
      try {
        return { value: (await (await sources.of(parsed.scheme)).read(parsed, organisation)).value }
      } catch (error) {
        return problemOf(error)
      }
    },
    current(reference, organisation) {
      if (allowPlaintext && organisation === undefined && parseSecretReference(reference) === undefined) return reference
      return kept.current(reference, organisation)
    },
    organisationsOf: kept.organisationsOf,
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    state: kept.state,

    put: (name, value, organisation) =>
      forAdmin(async (store) => {
        const record = await store.put(name, value, organisation)
        if (wantedNames.has(name)) await kept.readNow(`secret:${name}`, organisation)
        return record
      }),
    list: (organisation) => forAdmin((store) => store.list(organisation)),
    remove: (name, organisation) =>
      forAdmin(async (store) => {
        const removed = await store.remove(name, organisation)
        if (removed && wantedNames.has(name)) await kept.readNow(`secret:${name}`, organisation)
        return removed
      }),
    rotateMaster: (reference) =>
      forAdmin(async (store) => {
        if (!/^(env|file):./.test(reference))
          throw new GatewayError('invalid-request', 'A master key is a reference: `env:NAME` or `file:PATH`.', { path: 'masterKey' })
        const changed = await (await sources.builtIn()).keyring.rotate(reference)
        return { changed, ...(await store.rewrap()) }
      }),
    renewDataKeys: (olderThanMs) => forAdmin(async (store) => ({ renewed: await store.renewDataKeys(olderThanMs) })),

    async close() {
      closed = true
      clearInterval(timer)
      unwatch?.()
      await busy
      await sources.close()
    },
  }
}

const plaintext: SecretProblem = {
  fault: 'malformed',
  // The text is not repeated: it may be a real credential.
  message: 'a credential is written here as plain text',
  remedy: 'put it into an environment variable and write `env:NAME` (or `file:PATH`), or set `secrets: { allowPlaintext: true }`',
}
