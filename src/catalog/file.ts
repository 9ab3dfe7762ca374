/** A catalogue refreshed by `signalbox catalog sync`, kept in a file in the same small form as the built one. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isObject, isString, parseJson } from '../core/json.ts'
import { type CompactCatalog, FORMAT } from './compact.ts'

export interface CatalogFile extends CompactCatalog {
  /** Where it came from, and when (ISO). */
  readonly source?: string
  readonly fetched?: string
}

/** Throws an Error that says what is wrong and what to do. */
export function readCatalogFile(path: string): CatalogFile {
  const document = parseJson(readFileSync(path, 'utf8'))
  if (!isCatalog(document))
    throw new Error(`${path} is not a catalogue of this version: run \`signalbox catalog sync\` again, or remove it`)
  return document as unknown as CatalogFile
}

/** Whole or not at all: a reader never sees half a file. */
export function writeCatalogFile(path: string, catalog: CatalogFile): void {
  const unfinished = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(unfinished, JSON.stringify(catalog))
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

function isCatalog(document: unknown): boolean {
  if (!isObject(document) || document['format'] !== FORMAT) return false
  const { providers, models } = document
  if (!Array.isArray(providers) || !isObject(models) || !Object.values(models).every(isString)) return false
  return providers.every((provider) => isObject(provider) && isString(provider['id']) && Array.isArray(provider['env']))
}
