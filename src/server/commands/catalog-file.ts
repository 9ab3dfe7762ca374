/** Where commands look for a catalogue that `catalog sync` has written. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Catalog, createCatalog } from '../../catalog/catalog.ts'
import { readCatalogFile } from '../../catalog/file.ts'

export const CATALOG_FILE = 'signalbox-catalog.json'

/** What the command line gave: `--name value` is a string, `--name` true. */
export interface CommandArgs {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  write(text: string): void
}

/** Beside the config file, else in the working directory. */
export const catalogPathOf = (config: string | boolean | undefined, directory = process.cwd()): string =>
  join(typeof config === 'string' ? dirname(config) : directory, CATALOG_FILE)

/** The synced catalogue where there is one, else the built one. Throws an Error for a file that cannot be read. */
export function catalogFrom(path: string): Catalog {
  return existsSync(path) ? createCatalog({ data: readCatalogFile(path) }) : createCatalog()
}
