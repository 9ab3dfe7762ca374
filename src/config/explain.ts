/** What the schema found wrong, in an operator's words: where, what, and what to do. */
import type { z } from 'zod'
import type { Problem } from './config.ts'
import { closest, didYouMean } from './suggest.ts'

type Issue = z.core.$ZodIssue
type Schema = z.core.$ZodType

/** `models.fast.targets[0].provider`; keys that are no plain words are quoted: `models["gpt 4"]`. */
export function pathOf(keys: readonly PropertyKey[]): string {
  let path = ''
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`
    else if (/^[\w$./:@-]+$/.test(String(key))) path += path === '' ? String(key) : `.${String(key)}`
    else path += `[${JSON.stringify(String(key))}]`
  }
  return path
}

/** A problem together with the keys that lead to it, so that its line in the file can be found. */
export interface Found extends Problem {
  readonly keys: readonly PropertyKey[]
}

export const found = (keys: readonly PropertyKey[], message: string, remedy?: string): Found => ({
  keys,
  path: pathOf(keys),
  message,
  remedy,
})

export function explain(issue: Issue, root: Schema, value: unknown): Found[] {
  const keys = issue.path
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...keys, key], key, keysOf(schemaAt(root, keys))))
    case 'invalid_value': {
      const options = issue.values.map(String)
      const given = valueAt(value, keys)
      const message = given === undefined ? 'is missing' : `${shown(given, keys)} is not one of the choices`
      const hint = typeof given === 'string' ? didYouMean(given, options) : undefined
      return [found(keys, message, hint ? `${hint} There are ${listOf(options)}` : `choose one of ${listOf(options)}`)]
    }
    case 'invalid_type': {
      const given = valueAt(value, keys)
      const [own, remedy] = split(issue.message)
      if (remedy) return [found(keys, `${shown(given, keys)} is ${own}`, remedy)]
      if (given === undefined)
        return [found(keys, 'is missing', `add \`${String(keys.at(-1))}\`: ${kinds[issue.expected] ?? issue.expected}`)]
      return [
        found(
          keys,
          `${shown(given, keys)} is not ${kinds[issue.expected] ?? issue.expected}`,
          typeRemedy(issue.expected, isSecret(keys) ? undefined : given),
        ),
      ]
    }
    case 'invalid_key':
      return [found(keys, ...split(issue.issues[0]?.message ?? 'not a valid name'))]
    default: {
      const given = valueAt(value, keys)
      const [own, remedy] = split(issue.message)
      if (remedy) return [found(keys, typeof given === 'object' ? own : `${shown(given, keys)} is ${own}`, remedy)]
      return [found(keys, `${shown(given, keys)} is not allowed: ${lower(own)}`)]
    }
  }
}

function unknownKey(keys: readonly PropertyKey[], key: string, known: readonly string[]): Found {
  const near = closest(key, known)
  return found(keys, `unknown key \`${key}\``, near ? `did you mean \`${near}\`?` : `the keys here are ${listOf(known.toSorted())}`)
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a section (key: value)',
  record: 'a section (key: value)',
  array: 'a list',
}

function typeRemedy(expected: string, given: unknown): string | undefined {
  if (expected === 'array') return 'put it into brackets: [ … ]'
  if (expected === 'string' && given !== undefined && typeof given !== 'object') return `put it into quotes: "${String(given)}"`
  if ((expected === 'number' || expected === 'int') && typeof given === 'string' && given.trim() !== '' && Number.isFinite(Number(given)))
    return `write it without quotes: ${given}`
  if (expected === 'boolean') return 'write true or false, without quotes'
  return undefined
}

const split = (message: string): [string, string | undefined] => {
  const [what = '', remedy] = message.split('\n')
  return [what, remedy]
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
const listOf = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ')

/** What stands there may be a credential, also when its form is wrong: it is not repeated. */
const isSecret = (keys: readonly PropertyKey[]): boolean =>
  keys.some((key) =>
    /^(keys?|token|masterKey|previousMasterKeys|roleId|secretId|clientSecret|credentials|headers|env|cert|passphrase)$/.test(String(key)),
  )

/** A value as it is shown in a message: short, on one line. */
function shown(value: unknown, keys: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing'
  if (isSecret(keys)) return 'what stands here'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function valueAt(value: unknown, keys: readonly PropertyKey[]): unknown {
  let current = value
  for (const key of keys) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<PropertyKey, unknown>)[key]
  }
  return current
}

interface Definition {
  readonly innerType?: Schema
  readonly shape?: Readonly<Record<string, Schema>>
  readonly valueType?: Schema
  readonly element?: Schema
}

const definitionOf = (schema: Schema): Definition => schema._zod.def as Definition

function unwrapped(schema: Schema): Definition {
  let definition = definitionOf(schema)
  while (definition.innerType) definition = definitionOf(definition.innerType)
  return definition
}

function schemaAt(root: Schema, keys: readonly PropertyKey[]): Schema | undefined {
  let schema: Schema | undefined = root
  for (const key of keys) {
    if (!schema) return undefined
    const { shape, valueType, element }: Definition = unwrapped(schema)
    schema = shape ? shape[String(key)] : (valueType ?? element)
  }
  return schema
}

const keysOf = (schema: Schema | undefined): string[] =>
  Object.keys((schema && unwrapped(schema).shape) ?? {}).filter((key) => key !== '$schema')
