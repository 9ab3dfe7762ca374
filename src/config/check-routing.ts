/** What no key of a route tells by itself: groups that lead nowhere, conditions and grammars that cannot be read, tiers without routes. */
import { parsePreferences } from '../core/preferences.ts'
import { parseRequirements } from '../core/requirements.ts'
import { compileCondition } from './conditions.ts'
import { type Found, found } from './explain.ts'
import type { ParseContext } from './parse.ts'
import { poolTargets } from './pool-targets.ts'
import type { ConfigOutput } from './schema.ts'
import type { ScoreConfig } from './schema-routing.ts'
import { compileScore } from './scores.ts'
import { closest } from './suggest.ts'

type Models = ConfigOutput['models']
type Route = Models[string]

export function checkRouting({ models, tiers = {}, providers }: ConfigOutput, { catalog }: ParseContext): Found[] {
  return [
    ...Object.entries(models).flatMap(([name, route]) => [
      ...checkTargets(name, route, models),
      ...checkScore(name, route),
      ...checkGrammars(name, route),
    ]),
    ...groupCycles(models),
    ...checkPools(models, providers, catalog),
    ...checkTiers(tiers, models),
  ]
}

function checkTargets(name: string, { targets }: Route, models: Models): Found[] {
  return targets.flatMap(({ route, when }, index) => {
    const keys = ['models', name, 'targets', index]
    const problems: Found[] = []
    if (route !== undefined && !Object.hasOwn(models, route)) {
      const near = closest(route, Object.keys(models))
      problems.push(
        found(
          [...keys, 'route'],
          `there is no route \`${route}\``,
          near ? `did you mean \`${near}\`?` : 'a group names another route of `models:`',
        ),
      )
    }
    const compiled = when === undefined ? undefined : compileCondition(when)
    if (compiled && 'problem' in compiled)
      problems.push(
        found(
          [...keys, 'when'],
          `cannot be used as a condition: ${compiled.problem}`,
          'write a CEL expression, such as `request.tokens < 8000`',
        ),
      )
    return problems
  })
}

export function checkScore(name: string, { strategy }: { readonly strategy: Route['strategy'] | ScoreConfig }): Found[] {
  const compiled = typeof strategy === 'object' ? compileScore(strategy.score) : undefined
  if (!compiled || !('problem' in compiled)) return []
  return [
    found(
      ['models', name, 'strategy', 'score'],
      `cannot be used as a score: ${compiled.problem}`,
      'write a CEL expression that gives a number, such as `cost * 1000 + latency / 100`',
    ),
  ]
}

/** The catalogue is read only where a pool is to be filled from it. */
function checkPools(models: Models, providers: ConfigOutput['providers'], catalog: ParseContext['catalog']): Found[] {
  const presets = Object.entries(providers).map(([id, { preset }]) => [id, preset ?? id] as const)
  return Object.entries(models).flatMap(([name, { pool, targets }]) => {
    if (!pool || targets.length > 0) return []
    const { models: modelsOf, provider } = catalog?.() ?? {}
    if (!modelsOf || !provider || poolTargets(presets, { models: modelsOf, provider }, pool).length > 0) return []
    return [
      found(
        ['models', name, 'pool'],
        `no current model of the configured providers is good for \`${pool.category}\``,
        'add `targets:`, or a provider',
      ),
    ]
  })
}

function checkGrammars(name: string, { constraints, prefer }: Route): Found[] {
  return [
    ...grammarProblem(['models', name, 'constraints', 'require'], constraints?.require, parseRequirements),
    ...grammarProblem(['models', name, 'prefer'], prefer, parsePreferences),
  ]
}

function grammarProblem(keys: readonly PropertyKey[], text: string | undefined, parse: (text: string, path: string) => unknown): Found[] {
  if (text === undefined) return []
  try {
    parse(text, '')
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^``:? ?/, '') : String(error)
    const [what = message, known] = message.split(' Known: ')
    return [
      found(keys, what.replace(/\.$/, ''), known === undefined ? 'see docs/guide/negotiation.md' : `known: ${known.replace(/\.$/, '')}`),
    ]
  }
}

/** Each circle once, told at the group where it closes. */
function groupCycles(models: Models): Found[] {
  const problems: Found[] = []
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): void => {
    if (done.has(name) || !Object.hasOwn(models, name)) return
    models[name]?.targets.forEach(({ route }, index) => {
      if (route === undefined) return
      if (route !== name && !trail.includes(route)) {
        visit(route, [...trail, name])
        return
      }
      const circle = [...trail, name]
        .slice([...trail, name].indexOf(route))
        .concat(route)
        .join(' → ')
      problems.push(found(['models', name, 'targets', index, 'route'], `the groups go in a circle: ${circle}`, 'take one of them out'))
    })
    done.add(name)
  }
  for (const name of Object.keys(models)) visit(name, [])
  return problems
}

function checkTiers(tiers: NonNullable<ConfigOutput['tiers']>, models: Models): Found[] {
  return Object.entries(tiers).flatMap(([name, { models: names }]) =>
    names.flatMap((route, index) => {
      if (Object.hasOwn(models, route)) return []
      const near = closest(route, Object.keys(models))
      return [
        found(
          ['tiers', name, 'models', index],
          `there is no route \`${route}\``,
          near ? `did you mean \`${near}\`?` : 'a tier lists routes of `models:`',
        ),
      ]
    }),
  )
}
