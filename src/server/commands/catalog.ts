/** `signalbox catalog`: what the catalogue holds, and `catalog sync`, which refreshes it. */
import { resolve } from 'node:path'
import { createCatalog } from '../../catalog/catalog.ts'
import { readCatalogFile, writeCatalogFile } from '../../catalog/file.ts'
import { fetchCatalog, PUBLIC_FACTS, type SyncOptions } from '../../catalog/sync.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'

/** 0 when done, 1 when the refresh failed, 2 for a bad command. */
export async function catalogCommand({ positionals, options, write }: CommandArgs): Promise<number> {
  const [action = 'show', ...rest] = positionals
  if (rest.length > 0 || (action !== 'show' && action !== 'sync')) {
    write(`catalog: \`${positionals.join(' ')}\` is not known; there are \`catalog\` and \`catalog sync\`\n`)
    return 2
  }
  const path = resolve(typeof options['out'] === 'string' ? options['out'] : catalogPathOf(options['config']))
  return action === 'sync' ? await sync(path, options, write) : show(path, options['json'] === true, write)
}

async function sync(path: string, options: CommandArgs['options'], write: CommandArgs['write']): Promise<number> {
  const url = typeof options['url'] === 'string' ? options['url'] : PUBLIC_FACTS
  const timeout = timeoutOf(options['timeout'])
  if (typeof timeout === 'string') {
    write(`catalog sync: ${timeout}\n`)
    return 2
  }
  try {
    const catalog = await fetchCatalog({ url, ...timeout })
    writeCatalogFile(path, catalog)
    const { providers, models } = countsOf(createCatalog({ data: catalog }))
    write(
      options['json'] === true
        ? `${JSON.stringify({ file: path, source: url, fetched: catalog.fetched, providers, models })}\n`
        : `${models} models of ${providers} providers, written to ${path}. A running gateway takes them at its next reload.\n`,
    )
    return 0
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    write(`catalog sync: ${reason}\nNothing was replaced. Use --url for another source, --out for another file.\n`)
    return 1
  }
}

function show(path: string, json: boolean, write: CommandArgs['write']): number {
  try {
    const catalog = catalogFrom(path)
    const counts = countsOf(catalog)
    const synced = syncedFrom(path)
    if (json) write(`${JSON.stringify({ ...counts, ...synced })}\n`)
    else {
      write(
        `${counts.models} models of ${counts.providers} providers, ${synced ? `from ${synced.source} at ${synced.fetched} (${path})` : 'as shipped'}.\n`,
      )
      write('Search them with `signalbox models`; refresh them with `signalbox catalog sync`.\n')
    }
    return 0
  } catch (error) {
    write(`catalog: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

function syncedFrom(path: string): { readonly source: string | undefined; readonly fetched: string | undefined } | undefined {
  try {
    const { source, fetched } = readCatalogFile(path)
    return { source, fetched }
  } catch {
    // No file, or none that is used: the shipped catalogue answers.
    return undefined
  }
}

function countsOf(catalog: ReturnType<typeof createCatalog>): { readonly providers: number; readonly models: number } {
  const providers = catalog.providers().filter(({ generic }) => !generic)
  return { providers: providers.length, models: providers.reduce((count, { id }) => count + catalog.models(id).length, 0) }
}

/** `5s`, `2m`: as durations are written in the config. */
function timeoutOf(option: string | boolean | undefined): Pick<SyncOptions, 'timeoutMs'> | string {
  if (option === undefined || option === false) return {}
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(String(option))
  if (!match) return '--timeout needs a duration with a unit: 30s'
  return { timeoutMs: Number(match[1]) * (match[2] === 'm' ? 60_000 : match[2] === 's' ? 1000 : 1) }
}
