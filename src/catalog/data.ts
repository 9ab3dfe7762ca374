/**
 * The built data files, read when somebody first asks. They are not imported at the top: 0.5 MB of text that a gateway
 * with only its own hosts never needs.
 */
import type { CompactCatalog, CompactProvider } from './compact.ts'

type Require = (path: string) => unknown
let require: Require | undefined

function read(path: string): unknown {
  // Not an import of node:module, so that runtimes without one can still load this file and pass data of their own.
  require ??= (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:module').createRequire(import.meta.url)
  if (!require) throw new Error('this runtime cannot read the built catalogue: pass `data` to createCatalog')
  return require(path)
}

/** Providers now, the models' texts when first read. */
export function builtData(): CompactCatalog {
  const { format, providers } = read('./data/providers.json') as { format: number; providers: readonly CompactProvider[] }
  let models: Readonly<Record<string, string>> | undefined
  return {
    format,
    providers,
    get models() {
      models ??= read('./data/models.json') as Readonly<Record<string, string>>
      return models
    },
  }
}
