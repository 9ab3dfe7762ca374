/** Scores in CEL: a number for each target, by which a route's targets are put in order. */
import type { Environment } from '@marcbachmann/cel-js'
import type { Score } from '../routing/strategies/score.ts'
import { callEnvironment, compileCel } from './cel.ts'

let environment: Environment | undefined

/** The score, or what is wrong with its text. A target for which it cannot be worked out comes last. */
export function compileScore(text: string): { readonly score: Score } | { readonly problem: string } {
  environment ??= scoreEnvironment()
  if (!environment) return { problem: 'scores need Node' }
  const compiled = compileCel(environment, text)
  if ('problem' in compiled) return compiled
  const { run, type } = compiled
  if (!NUMBERS.has(type)) return { problem: `is a ${type}, not a number` }
  return {
    score(facts) {
      try {
        const value = run(facts)
        return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
      } catch {
        // A member that this call does not have, or another type than the expression expects.
        return Number.NaN
      }
    },
  }
}

const NUMBERS: ReadonlySet<string> = new Set(['int', 'uint', 'double', 'dyn'])

const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
}

function scoreEnvironment(): Environment | undefined {
  const made = callEnvironment()
  if (!made) return undefined
  made.registerVariable('target', 'map')
  for (const name of ['cost', 'latency', 'errors', 'headroom', 'inFlight', 'share', 'hour', 'random']) made.registerVariable(name, 'double')
  // CEL keeps whole numbers and fractions apart; who writes `cost * 1000` means no fault.
  for (const [sign, work] of Object.entries(ARITHMETIC))
    for (const [left, right] of [
      ['int', 'double'],
      ['double', 'int'],
    ])
      made.registerOperator(`${left} ${sign} ${right}: double`, (a: number | bigint, b: number | bigint) => work(Number(a), Number(b)))
  made.registerFunction('min(dyn, dyn): double', (a: number | bigint, b: number | bigint) => Math.min(Number(a), Number(b)))
  made.registerFunction('max(dyn, dyn): double', (a: number | bigint, b: number | bigint) => Math.max(Number(a), Number(b)))
  return made
}
