/** Conditions in CEL, compiled once when the configuration is read. The package is loaded only where there is a condition. */
import type { Environment } from '@marcbachmann/cel-js'
import type { ConditionFacts } from '../core/target.ts'

export type Condition = (facts: ConditionFacts) => boolean

let environment: Environment | undefined

/** The condition, or what is wrong with its text. A call for which it cannot be worked out does not meet it. */
export function compileCondition(text: string): { readonly condition: Condition } | { readonly problem: string } {
  environment ??= createEnvironment()
  if (!environment) return { problem: 'conditions need Node' }
  try {
    const run = environment.parse(text)
    const { valid, type, error } = run.check()
    if (!valid) return { problem: firstLine(error?.message) }
    if (type !== 'bool' && type !== 'dyn') return { problem: `is a ${type}, not true or false` }
    return { condition: (facts) => holds(run, facts) }
  } catch (error) {
    return { problem: firstLine(error instanceof Error ? error.message : String(error)) }
  }
}

function holds(run: (context: Record<string, unknown>) => unknown, facts: ConditionFacts): boolean {
  try {
    return run({ ...facts }) === true
  } catch {
    // A member that this call does not have, or another type than the expression expects.
    return false
  }
}

function createEnvironment(): Environment | undefined {
  // Not an import: that would load it at start, and a runtime without node:module goes without.
  const require = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:module').createRequire(import.meta.url)
  if (!require) return undefined
  const cel = require('@marcbachmann/cel-js') as { Environment: new (options: object) => Environment }
  const made = new cel.Environment({ unlistedVariablesAreDyn: false })
  for (const name of ['request', 'key', 'metadata', 'labels']) made.registerVariable(name, 'map')
  return made.registerVariable('tags', 'list')
}

const firstLine = (text = 'cannot be read'): string => (text.split('\n')[0] ?? '').replace(/^\w/, (letter) => letter.toLowerCase())
