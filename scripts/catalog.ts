/**
 * Builds `src/catalog/data/` from the shared model facts. The same facts give the same bytes, so a check is a build and
 * a comparison: `npm run catalog -- --check`. At run time nothing but the built files is read.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { compactCatalog } from '../src/catalog/compact.ts'
import { factsOf } from '../src/catalog/facts.ts'

export const factsFile = new URL('../../shared/data/catalog-facts.json', import.meta.url)
const dataFolder = new URL('../src/catalog/data/', import.meta.url)

/** The files' texts by name. One provider a line, so that a diff shows whose models changed. */
export function buildCatalog(facts: string): Record<'providers.json' | 'models.json', string> {
  const { format, providers, models } = compactCatalog(factsOf(JSON.parse(facts)))
  const lines = (items: readonly string[]): string => items.join(',\n')
  return {
    'providers.json': `{"format":${format},"providers":[\n${lines(providers.map((provider) => JSON.stringify(provider)))}\n]}\n`,
    'models.json': `{\n${lines(Object.entries(models).map(([id, text]) => `${JSON.stringify(id)}:${JSON.stringify(text)}`))}\n}\n`,
  }
}

function main(check: boolean): number {
  if (!existsSync(factsFile)) {
    process.stderr.write('catalog: the shared model facts are not beside this checkout; the built data stays as it is\n')
    return 1
  }
  let stale = 0
  for (const [name, text] of Object.entries(buildCatalog(readFileSync(factsFile, 'utf8')))) {
    const file = new URL(name, dataFolder)
    const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (before !== text) {
      stale++
      if (!check) writeFileSync(file, text)
    }
    process.stdout.write(`${name}: ${text.length} bytes${before === text ? '' : check ? ', stale' : ', written'}\n`)
  }
  return check && stale > 0 ? 1 : 0
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--check'))
