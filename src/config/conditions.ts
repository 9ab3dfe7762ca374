/** Conditions in CEL: may this target be tried for this call? */
import type { Environment } from '@marcbachmann/cel-js'
import type { ConditionFacts } from '../core/target.ts'
import { callEnvironment, compileCel, type Run } from './cel.ts'

export type Condition = (facts: ConditionFacts) => boolean

let environment: Environment | undefined

/** The condition, or what is wrong with its text. A call for which it cannot be worked out does not meet it. */
export function compileCondition(text: string): { readonly condition: Condition } | { readonly problem: string } {
  environment ??= callEnvironment()
  if (!environment) return { problem: 'conditions need Node' }
  const compiled = compileCel(environment, text)
  if ('problem' in compiled) return compiled
  const { run, type } = compiled
  if (type !== 'bool' && type !== 'dyn') return { problem: `is a ${type}, not true or false` }
  return { condition: (facts) => holds(run, facts) }
}

function holds(run: Run, facts: ConditionFacts): boolean {
  try {
    return run(facts) === true
  } catch {
    // A member that this call does not have, or another type than the expression expects.
    return false
  }
}
