/**
 * Reloading: a configuration is read and checked whole, then put into force at once, or nothing changes. One runs at a
 * time; whoever asks meanwhile shares the one that comes after, since the file may have changed again.
 */
import type { Catalog } from '../catalog/catalog.ts'
import type { Config, Notice, Problem } from '../config/config.ts'
import { type Differences, differences, isSame, keepFixed } from '../config/differences.ts'

/** A configuration read anew. */
export interface Reread {
  /** Absolute; undefined when there is no file. */
  readonly file?: string | undefined
  /** Present when there are no problems. */
  readonly config?: Config | undefined
  readonly problems: readonly Problem[]
  readonly notices: readonly Notice[]
  /** What it was checked with: another one than before where its file has changed. */
  readonly catalog?: Catalog | undefined
}

export type ReloadResult =
  | ({
      readonly done: true
      /** Kept as they were, since only a restart can change them. */
      readonly needsRestart: readonly string[]
      readonly notices: readonly Notice[]
    } & Differences)
  | { readonly done: false; readonly file: string | undefined; readonly problems: readonly Problem[] }

export interface ReloaderOptions {
  readonly config: Config
  readonly catalog?: Catalog
  read(): Promise<Reread>
  /** Puts it into force. Throws to refuse it, having changed nothing. */
  apply(next: Config, differences: Differences, catalog: Catalog | undefined): Promise<void>
  /** Told of what was put into force or refused; not of a quiet reload that came to nothing new. */
  tell(result: ReloadResult): void
}

export interface Reloader {
  /** `quietly`: leaves everything alone when the configuration says what it said before. */
  reload(options?: { readonly quietly?: boolean }): Promise<ReloadResult>
}

export function createReloader({ config: running, catalog: known, read, apply, tell }: ReloaderOptions): Reloader {
  let current = running
  let catalog = known
  let lastRefusal: string | undefined
  let busy: Promise<ReloadResult> | undefined
  let next: { readonly promise: Promise<ReloadResult>; quietly: boolean } | undefined

  return {
    reload({ quietly = false } = {}) {
      if (next) {
        next.quietly &&= quietly
        return next.promise
      }
      if (!busy) return start(quietly)
      const waiting = { quietly, promise: busy.then(follow, follow) }
      next = waiting
      return waiting.promise

      function follow(): Promise<ReloadResult> {
        next = undefined
        return start(waiting.quietly)
      }
    },
  }

  function start(quietly: boolean): Promise<ReloadResult> {
    const run = once(quietly).finally(() => {
      if (busy === run) busy = undefined
    })
    busy = run
    return run
  }

  async function once(quietly: boolean): Promise<ReloadResult> {
    const result = await attempt(quietly)
    // Who asked hears of it in any case; a watch speaks of what is new.
    const refusal = result.done ? undefined : JSON.stringify(result.problems)
    const nothingNew = result.done ? isSame(result) : refusal === lastRefusal
    lastRefusal = refusal
    if (!quietly || !nothingNew) tell(result)
    return result
  }

  async function attempt(quietly: boolean): Promise<ReloadResult> {
    let reread: Reread
    try {
      reread = await read()
    } catch (error) {
      return { done: false, file: undefined, problems: [problemOf(error)] }
    }
    const { file, config: written, problems, notices, catalog: facts = catalog } = reread
    if (!written) return { done: false, file, problems }
    const { config, needsRestart } = keepFixed(current, written)
    const told = differences(current, config)
    const changes = facts === catalog ? told : { ...told, changed: [...told.changed, 'the catalogue'] }
    // A reload that was asked for reads credentials again too, which the configuration only names.
    if (!quietly || !isSame(changes)) {
      try {
        await apply(config, changes, facts)
      } catch (error) {
        return { done: false, file, problems: [problemOf(error)] }
      }
      current = config
      catalog = facts
    }
    return { done: true, ...changes, needsRestart, notices }
  }
}

const problemOf = (error: unknown): Problem => ({ path: '', message: error instanceof Error ? error.message : String(error) })

/** For the log: what changed, or why nothing did. */
export function reloadText(result: ReloadResult, source: string): string {
  if (!result.done) {
    const count = result.problems.length === 1 ? 'a problem' : `${result.problems.length} problems`
    const lines = result.problems.slice(0, 20).map(({ path, message, remedy, line, column }) => {
      const place = line === undefined ? source : `${source}:${line}${column === undefined ? '' : `:${column}`}`
      return `  ${place}  ${path || '(file)'}: ${message}${remedy ? ` → ${remedy}` : ''}\n`
    })
    return `not reloaded: ${source} has ${count}; the configuration before it stays in force\n${lines.join('')}`
  }
  const parts = (['added', 'changed', 'removed'] as const).flatMap((kind) =>
    result[kind].length === 0 ? [] : [`${kind} ${shortened(result[kind])}`],
  )
  const restart = result.needsRestart.length === 0 ? '' : `; kept until a restart: ${result.needsRestart.join(', ')}`
  return `reloaded ${source}: ${parts.join('; ') || 'nothing new'}${restart}\n`
}

const SHOWN = 12
const shortened = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ')
