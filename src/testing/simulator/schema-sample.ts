/** A value that a JSON Schema accepts; always the same one. Reads OpenAPI's dialect too (upper-case types, `nullable`). */
import { isNumber, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { samplePattern } from './pattern-sample.ts'

/** Optional members are left out below this depth, so that recursive schemas end. */
const optionalDepth = 4
const maxDepth = 40

export function sampleSchema(schema: Json | undefined, name = 'value'): Json {
  return sample(schema, { root: schema, name, depth: 0 })
}

interface Place {
  readonly root: Json | undefined
  readonly name: string
  readonly depth: number
}

function sample(schema: Json | undefined, place: Place): Json {
  if (place.depth > maxDepth) return null
  if (!isObject(schema)) return place.name
  const flat = flatten(schema, place.root, 0)
  if ('const' in flat) return flat['const'] ?? null
  if (Array.isArray(flat['enum']) && flat['enum'].length > 0) return flat['enum'][0] as Json
  if (isNumber(flat['default']) || isString(flat['default'])) return flat['default']
  switch (typeOf(flat)) {
    case 'object':
      return sampleObject(flat, place)
    case 'array':
      return sampleArray(flat, place)
    case 'integer':
    case 'number':
      return sampleNumber(flat, typeOf(flat) === 'integer')
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return sampleString(flat, place.name)
  }
}

/** References resolved, `allOf` joined, the first alternative of `anyOf` and `oneOf` taken. */
function flatten(schema: JsonObject, root: Json | undefined, steps: number): JsonObject {
  if (steps > maxDepth) return schema
  const { $ref, allOf, anyOf, oneOf, ...own } = schema
  let flat: JsonObject = own
  const join = (part: Json | undefined) => {
    if (isObject(part)) flat = merged(flat, flatten(part, root, steps + 1))
  }
  if (isString($ref)) join(resolve($ref, root))
  for (const part of Array.isArray(allOf) ? allOf : []) join(part)
  const alternatives = [anyOf, oneOf].find((list) => Array.isArray(list) && list.length > 0) as readonly Json[] | undefined
  if (alternatives) join(alternatives.find((one) => isObject(one) && typeOf(one) !== 'null') ?? alternatives[0])
  return flat
}

function merged(left: JsonObject, right: JsonObject): JsonObject {
  const both: Record<string, Json | undefined> = { ...left, ...right }
  if (isObject(left['properties']) && isObject(right['properties'])) both['properties'] = { ...left['properties'], ...right['properties'] }
  if (Array.isArray(left['required']) && Array.isArray(right['required'])) both['required'] = [...left['required'], ...right['required']]
  return both
}

function resolve(reference: string, root: Json | undefined): Json | undefined {
  if (!reference.startsWith('#')) return undefined
  let found: Json | undefined = root
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    found = isObject(found) ? found[key] : Array.isArray(found) ? (found as readonly Json[])[Number(key)] : undefined
  }
  return found
}

function typeOf(schema: JsonObject): string {
  const type = schema['type']
  if (isString(type)) return type.toLowerCase()
  if (Array.isArray(type)) return String(type.find((one) => one !== 'null') ?? 'null').toLowerCase()
  if (isObject(schema['properties']) || 'additionalProperties' in schema) return 'object'
  if ('items' in schema || 'prefixItems' in schema) return 'array'
  if ('minimum' in schema || 'maximum' in schema || 'multipleOf' in schema) return 'number'
  return 'string'
}

function sampleObject(schema: JsonObject, place: Place): Json {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'].filter(isString) : []
  const deep = place.depth >= optionalDepth
  const entries: [string, Json][] = []
  for (const name of new Set([...Object.keys(properties).filter((name) => !deep || required.includes(name)), ...required])) {
    const member = properties[name]
    if (member === false) continue
    entries.push([name, sample(member, { root: place.root, name, depth: place.depth + 1 })])
  }
  const rest = schema['additionalProperties']
  for (let extra = 1; entries.length < countOf(schema['minProperties']) && extra < 100; extra++) {
    const name = `key${extra}`
    entries.push([name, sample(isObject(rest) ? rest : undefined, { root: place.root, name, depth: place.depth + 1 })])
  }
  return Object.fromEntries(entries)
}

function sampleArray(schema: JsonObject, place: Place): Json {
  const first: readonly Json[] = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
  const items = schema['items']
  const most = 'maxItems' in schema ? countOf(schema['maxItems']) : Number.POSITIVE_INFINITY
  const deep = place.depth >= optionalDepth
  const wanted = Math.min(most, Math.max(first.length, countOf(schema['minItems']), deep || items === undefined ? 0 : 1), 1_000)
  const unique = schema['uniqueItems'] === true
  return Array.from({ length: wanted }, (_, index) => {
    const value = sample(first[index] ?? items, { root: place.root, name: place.name, depth: place.depth + 1 })
    return unique && index > 0 ? distinct(value, first[index] ?? items, index) : value
  })
}

/** Another value for a place where all must differ: the next of the enum, a number further, a longer text. */
function distinct(value: Json, schema: Json | undefined, index: number): Json {
  if (isObject(schema) && Array.isArray(schema['enum'])) return (schema['enum'][index] as Json) ?? value
  if (isNumber(value)) return value + index
  return isString(value) ? `${value}${index}` : value
}

function sampleNumber(schema: JsonObject, integer: boolean): number {
  const step = isNumber(schema['multipleOf']) && schema['multipleOf'] > 0 ? schema['multipleOf'] : integer ? 1 : undefined
  const gap = step ?? 0.5
  const above = isNumber(schema['exclusiveMinimum']) ? schema['exclusiveMinimum'] + gap : undefined
  const below = isNumber(schema['exclusiveMaximum']) ? schema['exclusiveMaximum'] - gap : undefined
  const least = Math.max(numberIn(schema['minimum']) ?? Number.NEGATIVE_INFINITY, above ?? Number.NEGATIVE_INFINITY)
  const most = Math.min(numberIn(schema['maximum']) ?? Number.POSITIVE_INFINITY, below ?? Number.POSITIVE_INFINITY)
  const near = Math.min(Math.max(7, least), most)
  if (step === undefined) return near
  const up = Math.ceil(near / step) * step
  return up <= most ? up : Math.floor(near / step) * step
}

const formats: Readonly<Record<string, string>> = {
  date: '2026-11-21',
  time: '12:00:00Z',
  'date-time': '2026-11-21T12:00:00Z',
  duration: 'PT1H',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  'uri-reference': '/path',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
}

function sampleString(schema: JsonObject, name: string): string {
  const { format, pattern } = schema
  let text = isString(format) ? (formats[format] ?? name) : name
  if (isString(pattern)) text = samplePattern(pattern) ?? text
  const least = countOf(schema['minLength'])
  if (text.length < least) text += 'x'.repeat(Math.min(least - text.length, 100_000))
  return 'maxLength' in schema ? text.slice(0, countOf(schema['maxLength'])) : text
}

/** Google writes 64-bit numbers as strings. */
const numberIn = (value: Json | undefined): number | undefined =>
  isNumber(value) ? value : isString(value) && value !== '' && Number.isFinite(Number(value)) ? Number(value) : undefined
const countOf = (value: Json | undefined): number => Math.max(0, numberIn(value) ?? 0)
