/** `signalbox serve`: finds the configuration, starts, and listens to signals. */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import type { Config } from '../config/config.ts'
import { defaultConfig } from '../config/defaults.ts'
import { findConfigFile, loadConfigFile } from '../config/load.ts'
import { findLocalServers } from '../config/local-servers.ts'
import { catalogFrom, catalogPathOf } from './commands/catalog-file.ts'
import { problemText } from './commands/check.ts'
import type { ServeFlags } from './commands/serve.ts'
import { type Serving, StartError, startServing } from './start.ts'

/** Undefined while it serves; else the exit code. */
export async function serve(flags: ServeFlags): Promise<number | undefined> {
  const file = flags.config ?? findConfigFile(process.cwd())
  let catalog: Catalog
  try {
    catalog = catalogFrom(catalogPathOf(file))
  } catch (error) {
    return refused((error as Error).message)
  }
  const load = async (): Promise<Config | undefined> => (file === undefined ? builtIn(flags, catalog) : fromFile(file, flags, catalog))
  const config = await load()
  if (!config) return 1
  const readFile = (path: string): string => readFileSync(isAbsolute(path) || file === undefined ? path : join(dirname(file), path), 'utf8')
  try {
    listenToSignals(await startServing({ config, catalog, source: file, reload: load, readFile }))
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

async function fromFile(file: string, { host, port }: ServeFlags, catalog: Catalog): Promise<Config | undefined> {
  const { config, problems } = await loadConfigFile(file, { env: process.env, catalog: () => catalog, overrides: { host, port } })
  if (config) return config
  process.stderr.write(
    `signalbox: ${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}\n${problems.map((problem) => problemText(file, problem)).join('')}`,
  )
  return undefined
}

async function builtIn({ host, port }: ServeFlags, catalog: Catalog): Promise<Config> {
  return defaultConfig({ env: process.env, catalog: () => catalog, local: await findLocalServers(), overrides: { host, port } })
}

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
  process.on('SIGHUP', () => void serving.reload())
}
