/** `signalbox serve`: finds the configuration, starts, and listens to signals. */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import type { Problem } from '../config/config.ts'
import { defaultConfig } from '../config/defaults.ts'
import { findConfigFile, loadConfigFile } from '../config/load.ts'
import { findLocalServers } from '../config/local-servers.ts'
import { catalogFrom, catalogPathOf } from './commands/catalog-file.ts'
import { problemText } from './commands/check.ts'
import type { ServeFlags } from './commands/serve.ts'
import type { Reread } from './reload.ts'
import { type Serving, StartError, startServing } from './start.ts'
import { watchFile } from './watch-file.ts'

/** Undefined while it serves; else the exit code. */
export async function serve(flags: ServeFlags): Promise<number | undefined> {
  const file = flags.config ?? findConfigFile(process.cwd())
  let catalog: Catalog
  try {
    catalog = catalogFrom(catalogPathOf(file))
  } catch (error) {
    return refused((error as Error).message)
  }
  const first = await (file === undefined ? builtIn(flags, catalog) : fromFile(file, flags, catalog))
  if (!first.config) return refused(problemsText(file ?? '', first.problems))
  const { config } = first
  const readFile = (path: string): string => readFileSync(isAbsolute(path) || file === undefined ? path : join(dirname(file), path), 'utf8')
  const reload = (): Promise<Reread> => (file === undefined ? builtIn(flags, catalog) : rereadFile(file, flags, catalog))
  try {
    const serving = await startServing({ config, catalog, source: file, reload, readFile })
    listenToSignals(serving)
    if (file !== undefined) watchFile(file, () => void serving.reload({ quietly: true }))
    return undefined
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return refused(error.message)
  }
}

function refused(why: string): number {
  process.stderr.write(`signalbox: ${why}\n`)
  return 1
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

const SIGNAL_REST_MS = 50

function listenToSignals(serving: Serving): void {
  // Whoever read the log is gone: that ends the log, not the gateway.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const end = (): void => {
    void serving.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  // A second signal while draining changes nothing: what runs may end.
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  // npm and a terminal deliver it twice.
  let soon: ReturnType<typeof setTimeout> | undefined
  process.on('SIGHUP', () => {
    clearTimeout(soon)
    soon = setTimeout(() => void serving.reload(), SIGNAL_REST_MS)
  })
}
