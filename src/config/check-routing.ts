/** What no key of a route tells by itself: groups that lead nowhere, conditions and grammars that cannot be read, tiers without routes. */
import { parsePreferences } from '../core/preferences.ts'
import { parseRequirements } from '../core/requirements.ts'
import { compileCondition } from './conditions.ts'
import { type Found, found } from './explain.ts'
import type { ConfigOutput } from './schema.ts'
import { closest } from './suggest.ts'

type Models = ConfigOutput['models']
type Route = Models[string]

export function checkRouting({ models, tiers = {} }: ConfigOutput): Found[] {
  return [
    ...Object.entries(models).flatMap(([name, route]) => [...checkTargets(name, route, models), ...checkGrammars(name, route)]),
    ...groupCycles(models),
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
