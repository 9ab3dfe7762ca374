/** CEL, compiled once when the configuration is read. The package is loaded only where there is an expression. */
import type { Environment } from '@marcbachmann/cel-js'

export type Run = (facts: object) => unknown

/** The expression, or what is wrong with its text. Running it throws where a member is missing or of another type. */
export function compileCel(
  environment: Environment,
  text: string,
): { readonly run: Run; readonly type: string } | { readonly problem: string } {
  try {
    const parsed = environment.parse(text)
    const { valid, type, error } = parsed.check()
    if (!valid) return { problem: firstLine(error?.message) }
    return { run: (facts) => parsed({ ...facts }), type: type ?? 'dyn' }
  } catch (error) {
    return { problem: firstLine(error instanceof Error ? error.message : String(error)) }
  }
}

/** With what every expression may ask about. Undefined where there is no Node. */
export function callEnvironment(): Environment | undefined {
  // Not an import: that would load it at start, and a runtime without node:module goes without.
  const require = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:module').createRequire(import.meta.url)
  if (!require) return undefined
  const cel = require('@marcbachmann/cel-js') as { Environment: new (options: object) => Environment }
  const made = new cel.Environment({ unlistedVariablesAreDyn: false })
  for (const name of ['request', 'key', 'metadata', 'labels']) made.registerVariable(name, 'map')
  return made.registerVariable('tags', 'list')
}

const firstLine = (text = 'cannot be read'): string => (text.split('\n')[0] ?? '').replace(/^\w/, (letter) => letter.toLowerCase())
