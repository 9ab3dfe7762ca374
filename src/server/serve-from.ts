/** From a configuration, found or none, to a serving thread: the first one and all others begin here. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import type { Config, Problem } from '../config/config.ts'
import { defaultConfig } from '../config/defaults.ts'
import { loadConfigFile } from '../config/load.ts'
import { findLocalServers } from '../config/local-servers.ts'
import { catalogFrom, catalogPathOf } from './commands/catalog-file.ts'
import { problemText } from './commands/check.ts'
import type { ServeFlags } from './commands/serve.ts'
import type { Reread } from './reload.ts'
import { type Serving, startServing } from './start.ts'
import { StartError } from './start-error.ts'
import type { ThreadOptions } from './threads/siblings.ts'

export type Started = { readonly serving: Serving; readonly config: Config } | { readonly problem: string }

/** `file` undefined: what stands where there is no configuration. `thread` says, for a configuration, how this thread is one of several. */
export async function startFrom(
  file: string | undefined,
  flags: ServeFlags,
  thread: (config: Config) => ThreadOptions | undefined | Promise<ThreadOptions | undefined>,
): Promise<Started> {
  const catalogFile = catalogPathOf(file)
  const catalogNow = catalogOf(catalogFile)
  let catalog: Catalog
  try {
    catalog = catalogNow()
  } catch (error) {
    return { problem: (error as Error).message }
  }
  const first = await (file === undefined ? builtIn(flags, catalog) : fromFile(file, flags, catalog))
  if (!first.config) return { problem: problemsText(file ?? '', first.problems) }
  const { config } = first
  const readFile = (path: string): string => readFileSync(isAbsolute(path) || file === undefined ? path : join(dirname(file), path), 'utf8')
  const reload = async (): Promise<Reread> => {
    const catalog = catalogNow()
    return { ...(await (file === undefined ? builtIn(flags, catalog) : rereadFile(file, flags, catalog))), catalog }
  }
  try {
    return {
      serving: await startServing({ config, catalog, catalogFile, source: file, reload, readFile, thread: await thread(config) }),
      config,
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return { problem: error.message }
  }
}

/** The catalogue as its file has it at the moment; the same one as long as the file is. Throws for a file that cannot be read. */
function catalogOf(path: string): () => Catalog {
  let known: { readonly stamp: string; readonly catalog: Catalog } | undefined
  return () => {
    const file = statSync(path, { throwIfNoEntry: false })
    const stamp = file ? `${file.ino} ${file.mtimeMs} ${file.size}` : ''
    if (known?.stamp !== stamp) known = { stamp, catalog: catalogFrom(path) }
    return known.catalog
  }
}

/** An empty file is one that is being written, whatever it would mean at a start. */
const rereadFile = (file: string, flags: ServeFlags, catalog: Catalog): Promise<Reread> =>
  isBlank(file) ? Promise.resolve({ file, problems: [emptyFile], notices: [] }) : fromFile(file, flags, catalog)

const emptyFile: Problem = { path: '', message: 'the file is empty', remedy: 'write `{}` if nothing is to be configured' }

function isBlank(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').trim() === ''
  } catch {
    return false
  }
}

const fromFile = (file: string, { host, port }: ServeFlags, catalog: Catalog): Promise<Reread> =>
  loadConfigFile(file, { env: process.env, catalog: () => catalog, overrides: { host, port } })

const problemsText = (file: string, problems: readonly Problem[]): string =>
  `${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}\n${problems
    .map((problem) => problemText(file, problem))
    .join('')
    .trimEnd()}`

async function builtIn({ host, port }: ServeFlags, catalog: Catalog): Promise<Reread> {
  const overrides = { host, port }
  const config = defaultConfig({ env: process.env, catalog: () => catalog, local: await findLocalServers(), overrides })
  return { config, problems: [], notices: [] }
}
