/**
 * Every credential of a running gateway. References are resolved at start and kept in memory, where calls find them; what
 * may change is read again, and whoever uses a value is told when another one takes its place.
 */
import { GatewayError } from '../core/error.ts'
import { masterKeyProblem } from '../core/master-key-reference.ts'
import { isProblem, parseSecretReference, type Secret, type SecretProblem, type SecretReference } from '../core/secret-reference.ts'
import type { BuiltIn, SecretRecord } from './built-in.ts'
import { type Keeper, keeper, type Reading } from './keeper.ts'
import type { MasterKey } from './master-key.ts'
import { problemOf, SecretError } from './source.ts'
import { createSources, type SourceSettings, type SourceSurroundings, type Sources } from './sources.ts'

/** What the configuration says; a reload may say something else. */
export interface SecretsSettings extends SourceSettings {
  /** Accept plain text in place of references. Default false. */
  readonly allowPlaintext?: boolean
  /** How often what lies elsewhere is read again. Milliseconds. Default 5 minutes. */
  readonly rereadMs?: number
  /** A source that cannot be reached does not take a value away for so long. Milliseconds. Default 24 hours. */
  readonly keepMs?: number
  /** Stored secrets get a new data key when theirs is as old as that. Milliseconds. Absent: never. */
  readonly renewDataKeysMs?: number
}

export interface SecretsOptions extends SecretsSettings, SourceSurroundings {
  /** How often files are looked at. Milliseconds. Default 1,000. */
  readonly fileMs?: number
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
  /** The configuration is wrong. Else time will help: a source that is down, a stored secret that has not been put yet. */
  readonly fatal: boolean
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

/** Read, but not in force yet. */
export interface Prepared {
  /** Of what has no value, not even an earlier one. */
  readonly problems: readonly WantedProblem[]
  /** Puts it into force; what is wanted no more is forgotten. */
  commit(): Promise<void>
  abandon(): Promise<void>
}

export interface Secrets {
  /**
   * For a reload: reads everything under the new settings, and changes nothing until it is committed. What has not answered
   * after `patienceMs` (default 5,000) is asked on in the background.
   */
  prepare(wanted: readonly Wanted[], settings?: SecretsSettings, patienceMs?: number): Promise<Prepared>
  /** Both at once. What cannot be read comes back as a problem, and is tried again in the background. */
  start(wanted: readonly Wanted[], settings?: SecretsSettings): Promise<readonly WantedProblem[]>
  /** Reads one now, whether it is kept or not. */
  resolve(reference: string, organisation?: string): Promise<Secret>
  /** Puts a value where the reference leads. Rejects with a SecretError: where it may not, or nothing can be put. */
  write(reference: string, value: string): Promise<void>
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
  /**
   * Another master key from now on, by its reference; data keys are wrapped anew. May be broken off: it goes on by itself. A KMS wraps
   * the master key in force, where that was made for a KMS; with `fresh`, a new one.
   */
  rotateMaster(reference: string, fresh?: boolean): Promise<RotationResult>
  /** New data keys for what is older than that. */
  renewDataKeys(olderThanMs: number): Promise<{ readonly renewed: number }>
  close(): Promise<void>
}

export interface RotationResult {
  /** False: it is this master key already. */
  readonly changed: boolean
  /** The same master key, wrapped anew by a KMS. */
  readonly wrapped: boolean
  readonly rewrapped: number
  /** Stored secrets that no master key at hand can open. */
  readonly failed: number
}

const TICK_MS = 1_000
const PATIENCE_MS = 5_000
const HOUR_MS = 3_600_000

export function createSecrets(options: SecretsOptions): Secrets {
  const { fileMs = 1_000, tell = () => {}, now = Date.now } = options
  let settings: SecretsSettings = options
  const masterKeys = new Map<string, MasterKey>()
  let sources = createSources({ ...options, masterKeys })
  const rereadMs = (): number => settings.rereadMs ?? 300_000
  const listeners = new Set<(change: SecretChange) => void>()
  const kept: Keeper = keeper({
    timing: () => ({ rereadMs: rereadMs(), fileMs, keepMs: settings.keepMs ?? 86_400_000 }),
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
  let toldSuperseded: string | undefined
  let busy: Promise<unknown> | undefined
  let closed = false

  function builtIn(): Promise<BuiltIn> {
    const { builtIn: open } = sources
    opened ??= open().then(
      ({ store }) => {
        if (!closed && sources.builtIn === open)
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
      const { keyring } = await sources.builtIn()
      const old = await keyring.refresh()
      tellSuperseded(keyring.supersededBy())
      if (old) {
        const { rewrapped, failed } = await store.rewrap()
        tell(
          `master key: ${rewrapped} stored secrets wrapped anew${failed > 0 ? `, ${failed} cannot be opened by any master key at hand` : ''}`,
        )
      }
      if (settings.renewDataKeysMs !== undefined) {
        const renewed = await store.renewDataKeys(settings.renewDataKeysMs)
        if (renewed > 0) tell(`${renewed} stored secrets have new data keys`)
      }
    } catch (error) {
      const { message, remedy } = problemOf(error)
      tell(`stored secrets could not be looked after: ${message} (${remedy})`)
    }
  }

  function tellSuperseded(by: string | undefined): void {
    if (by !== undefined && by !== toldSuperseded)
      tell(
        `the configured master key was rotated out; ${by} is in force (write that as \`secrets.masterKey\`; to go back: \`signalbox secrets rotate-master\`)`,
      )
    toldSuperseded = by
  }

  function tick(): void {
    kept.tick()
    if (now() < nextChoreAt || busy) return
    nextChoreAt = now() + Math.min(rereadMs(), HOUR_MS)
    busy = chores().finally(() => {
      busy = undefined
      if (theirsMissing) nextChoreAt = Math.min(nextChoreAt, now() + TICK_MS)
    })
  }

  async function prepare(wanted: readonly Wanted[], next: SecretsSettings = settings, patienceMs = PATIENCE_MS): Promise<Prepared> {
    const other = JSON.stringify(settingsOf(next)) !== JSON.stringify(settingsOf(settings))
    const from = other ? createSources({ ...options, ...next, masterKeys }) : sources
    const readings = new Map<string, Reading>()
    const problems = new Map<string, SecretProblem>()
    await Promise.all(
      [...new Set(wanted.map(({ reference }) => reference))].map(async (text) => {
        const reference = parseSecretReference(text)
        if (!reference) {
          if (!next.allowPlaintext) problems.set(text, plaintext)
        } else if (isProblem(reference)) problems.set(text, reference)
        else readings.set(text, { reference, result: await readFrom(from, reference, patienceMs) })
      }),
    )
    for (const [text, { reference, result }] of readings) {
      // What is not answered for a moment is no fault of the configuration while there is an earlier value.
      if ('fault' in result && (kept.current(text) === undefined || reference.scheme === 'env')) problems.set(text, result)
    }
    return {
      problems: wanted.flatMap(({ reference, path }) => {
        const problem = problems.get(reference)
        return problem ? [{ path, ...problem, fatal: isFatal(reference, problem) }] : []
      }),
      async commit() {
        settings = next
        if (from !== sources) {
          const old = sources
          sources = from
          opened = undefined
          unwatch?.()
          nextChoreAt = 0
          void old.close()
        }
        wantedNames = new Set([...readings.values()].flatMap(({ reference: { scheme, name } }) => (scheme === 'secret' ? [name] : [])))
        kept.adopt(readings)
        begin()
        await findTheirs()
      },
      async abandon() {
        if (from !== sources) await from.close()
      },
    }
  }

  function begin(): void {
    if (timer || closed) return
    timer = setInterval(tick, Math.min(TICK_MS, fileMs, rereadMs()))
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
    prepare,
    async start(wanted, next) {
      const { problems, commit } = await prepare(wanted, next)
      await commit()
      return problems
    },

    async resolve(reference, organisation) {
      const parsed = parseSecretReference(reference)
      if (!parsed) return settings.allowPlaintext ? { value: reference } : plaintext
      if (isProblem(parsed)) return parsed
      try {
        return { value: (await (await sources.of(parsed.scheme)).read(parsed, organisation)).value }
      } catch (error) {
        return problemOf(error)
      }
    },
    async write(reference, value) {
      const parsed = parseSecretReference(reference)
      if (!parsed || isProblem(parsed))
        throw new SecretError('malformed', 'no reference to a secret', 'write `file:PATH` or `vault:MOUNT/PATH#FIELD`')
      const { write } = await sources.of(parsed.scheme)
      if (!write)
        throw new SecretError(
          'malformed',
          `nothing can be put behind \`${parsed.scheme}:\``,
          'use `file:`, `vault:`, `aws:`, `gcp:` or `k8s:`',
        )
      await write(parsed, value)
    },
    current(reference, organisation) {
      if (settings.allowPlaintext && organisation === undefined && parseSecretReference(reference) === undefined) return reference
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
    rotateMaster: (reference, fresh) =>
      forAdmin(async (store) => {
        const problem = masterKeyProblem(reference)
        if (problem)
          throw new GatewayError('invalid-request', `A master key is named by a reference: ${problem.remedy}.`, { path: 'reference' })
        const rotated = await (await sources.builtIn()).keyring.rotate(reference, fresh)
        return { changed: rotated === 'changed', wrapped: rotated === 'wrapped', ...(await store.rewrap()) }
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

async function readFrom(sources: Sources, reference: SecretReference, patienceMs: number): Promise<Reading['result']> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<SecretProblem>((resolve) => {
    timer = setTimeout(() => resolve(notYet), patienceMs)
  })
  try {
    return await Promise.race([late, sources.of(reference.scheme).then((source) => source.read(reference))])
  } catch (error) {
    return problemOf(error)
  } finally {
    clearTimeout(timer)
  }
}

const notYet: SecretProblem = {
  fault: 'unreachable',
  message: 'its source has not answered yet',
  remedy: 'look at the state of that service',
}

const isFatal = (reference: string, { fault }: SecretProblem): boolean =>
  fault !== 'unreachable' && !(fault === 'unset' && reference.startsWith('secret:'))

/** In one order, without what is not from the configuration. */
const settingsOf = ({ masterKey, previousMasterKeys, vault, aws, gcp, azure, kubernetes }: SecretsSettings): unknown => [
  masterKey,
  previousMasterKeys,
  vault,
  aws,
  gcp,
  azure,
  kubernetes,
]

const plaintext: SecretProblem = {
  fault: 'malformed',
  // The text is not repeated: it may be a real credential.
  message: 'a credential is written here as plain text',
  remedy: 'put it into an environment variable and write `env:NAME` (or `file:PATH`), or set `secrets: { allowPlaintext: true }`',
}
