/** Refreshes the catalogue every so often, in a process that serves. What does it is loaded when it is first due. */
import { isDeepStrictEqual } from 'node:util'
import { type CatalogFile, readCatalogFile, writeCatalogFile } from '../catalog/file.ts'
import type { CatalogConfig } from '../config/config.ts'

export interface ScheduledCatalogOptions {
  /** The file that `catalog sync` writes, and that a reload reads. */
  readonly path: string
  /** Puts what the file now says into force, if the configuration is good with it. */
  reload(): Promise<unknown>
  /** Tells the operator. */
  tell(text: string): void
  /** Throws with a sentence for the operator. Default: asks the URL. */
  readonly fetch?: (url: string | undefined) => Promise<CatalogFile>
  readonly now?: () => number
  /** Milliseconds after a start that are left to calls. Default 5 000. */
  readonly restMs?: number
}

export interface ScheduledCatalog {
  /** The configuration now in force. */
  configure(catalog: CatalogConfig | undefined): void
  stop(): void
}

/** A tenth later at most, so that replicas do not all ask at once. */
const JITTER = 0.1
/** After a failure it is tried again in this part of the time. */
const AGAIN = 0.1

export function scheduledCatalog(options: ScheduledCatalogOptions): ScheduledCatalog {
  const { path, reload, tell, fetch = fetched, now = Date.now, restMs = 5_000 } = options
  let config: CatalogConfig | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let running = false

  const arm = (waitMs: number): void => {
    clearTimeout(timer)
    timer = undefined
    if (!config) return
    timer = setTimeout(() => void once(), waitMs + config.refreshMs * JITTER * Math.random())
    timer.unref()
  }

  async function once(): Promise<void> {
    const asked = config
    if (!asked || running) return
    running = true
    let done = false
    try {
      const before = fileAt(path)
      const catalog = await fetch(asked.url)
      // Stopped, or switched off, while it was on its way.
      if (!config) return
      writeCatalogFile(path, catalog)
      done = true
      if (!before || !sameFacts(before, catalog)) await reload()
    } catch (error) {
      tell(`catalog: not refreshed, what was known stays: ${error instanceof Error ? error.message : String(error)}\n`)
    } finally {
      running = false
      if (config) arm(done ? config.refreshMs : config.refreshMs * AGAIN)
    }
  }

  /** A process that starts every day would else never come to its day. */
  function dueMs({ refreshMs }: CatalogConfig): number {
    const at = Date.parse(fileAt(path)?.fetched ?? '')
    return Math.max(restMs, Number.isNaN(at) ? 0 : Math.min(at + refreshMs - now(), refreshMs))
  }

  return {
    configure(next) {
      const same = isDeepStrictEqual(next, config)
      config = next
      if (!same) arm(next ? dueMs(next) : 0)
    },
    stop() {
      config = undefined
      clearTimeout(timer)
    },
  }
}

const sameFacts = (one: CatalogFile, other: CatalogFile): boolean =>
  isDeepStrictEqual([one.providers, one.models], [other.providers, other.models])

/** Undefined: there is none that can be used. */
function fileAt(path: string): CatalogFile | undefined {
  try {
    return readCatalogFile(path)
  } catch {
    return undefined
  }
}

async function fetched(url: string | undefined): Promise<CatalogFile> {
  const { fetchCatalog } = await import('../catalog/sync.ts')
  return await fetchCatalog(url === undefined ? {} : { url })
}
