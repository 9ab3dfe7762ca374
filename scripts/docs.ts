/** Writes every page that is made from the source: `npm run docs`. Tests compare the files with what this would write. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adminClientFile, openApiFile } from './docs/admin-client.ts'
import { configPage, configSchemaFile } from './docs/config.ts'
import { errorsPage } from './docs/errors.ts'
import { withRealOutput } from './docs/mistakes.ts'

const pathOf = (page: string): string => fileURLToPath(new URL(`../${page}`, import.meta.url))
export const readPage = (page: string): string => readFileSync(pathOf(page), 'utf8').replaceAll('\r\n', '\n')

/** The pages as they should be, by their path. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/reference/config.schema.json', configSchemaFile()],
    ['docs/reference/config.md', configPage()],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/openapi.json', openApiFile()],
    ['src/admin/client.generated.ts', adminClientFile()],
    ['docs/guide/configuration.md', await withRealOutput(readPage('docs/guide/configuration.md'))],
  ])
}

if (import.meta.main)
  for (const [page, text] of await pages()) {
    mkdirSync(dirname(pathOf(page)), { recursive: true })
    writeFileSync(pathOf(page), text)
    console.log(page)
  }
