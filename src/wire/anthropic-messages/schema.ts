/**
 * JSON Schema under the API's rules. A tool's input must be an object at its root; a schema that constrains the answer
 * (structured output, strict tools) knows only a part of JSON Schema. What it does not know becomes words.
 */
import { arrayOf, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'

export interface CleanSchema {
  readonly schema: JsonObject
  /** Keywords that are no longer said, or only in words. */
  readonly lost: ReadonlySet<string>
}

// ---- tool inputs -----------------------------------------------------------------------------------------------

/** The schema of a tool's input: an object without unions at its root. */
export function toolSchema(schema: JsonObject | undefined): CleanSchema {
  const lost = new Set<string>()
  if (!schema) return { schema: { type: 'object', properties: {} }, lost }
  const root = flat(resolved(schema, schema), schema, lost)
  const { type, ...rest } = root
  if (type !== 'object' && type !== undefined && !(Array.isArray(type) && type.includes('object'))) lost.add('type')
  return { schema: modern({ type: 'object', ...(rest['properties'] === undefined && { properties: {} }), ...rest }), lost }
}

/** A reference at the root, opened. */
function resolved(schema: JsonObject, root: JsonObject, depth = 0): JsonObject {
  const { $ref, ...rest } = schema
  const aimed = isString($ref) && depth < 8 ? targetOf($ref, root) : undefined
  return aimed ? { ...resolved(aimed, root, depth + 1), ...rest } : schema
}

function targetOf(reference: string, root: JsonObject): JsonObject | undefined {
  if (!reference.startsWith('#')) return undefined
  let node: Json | undefined = root
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    node = isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined
  }
  return isObject(node) ? node : undefined
}

/** Unions at the root as one object: all of `allOf`, and of `anyOf` whatever some branch allows. */
function flat(schema: JsonObject, root: JsonObject, lost: Set<string>): JsonObject {
  const { allOf, anyOf, oneOf, ...base } = schema
  let whole: JsonObject = base
  for (const part of arrayOf(allOf)) if (isObject(part)) whole = both(whole, flat(resolved(part, root), root, lost))
  for (const [name, branches] of [['anyOf', anyOf] as const, ['oneOf', oneOf] as const]) {
    const objects = arrayOf(branches)
      .filter(isObject)
      .map((branch) => flat(resolved(branch, root), root, lost))
    if (objects.length === 0) continue
    lost.add(name)
    const shared = objects.map(requiredOf).reduce((left, right) => left.filter((one) => right.includes(one)))
    const properties = Object.assign({}, ...objects.map(({ properties: own }) => (isObject(own) ? own : {}))) as JsonObject
    whole = both(whole, { properties, required: shared })
  }
  return whole
}

const requiredOf = ({ required }: JsonObject): readonly string[] => arrayOf(required).filter(isString)

function both(left: JsonObject, right: JsonObject): JsonObject {
  const required = [...new Set([...requiredOf(left), ...requiredOf(right)])]
  const properties = { ...(isObject(left['properties']) && left['properties']), ...(isObject(right['properties']) && right['properties']) }
  return { ...right, ...left, ...(Object.keys(properties).length > 0 && { properties }), ...(required.length > 0 && { required }) }
}

/** Spellings of older drafts and of OpenAPI that the API refuses or overlooks. */
function modern(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).flatMap(([name, value]): [string, Json | undefined][] => {
    if (name === 'items' && Array.isArray(value)) return [['prefixItems', value.map(modernOf)]]
    if (name === 'properties' || name === '$defs' || name === 'definitions' || name === 'patternProperties')
      return [[name, isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, modernOf(one ?? null)])) : value]]
    if (name === 'anyOf' || name === 'oneOf' || name === 'allOf' || name === 'prefixItems') return [[name, arrayOf(value).map(modernOf)]]
    if (name === 'items' || name === 'additionalProperties' || name === 'not') return [[name, modernOf(value ?? null)]]
    return [[name, value]]
  })
  return nullable(Object.fromEntries(entries))
}

const modernOf = (value: Json): Json => (isObject(value) ? modern(value) : value)

/** OpenAPI's `nullable`, as a type. */
function nullable(schema: JsonObject): JsonObject {
  if (schema['nullable'] === undefined) return schema
  const { nullable: may, ...rest } = schema
  if (may !== true) return rest
  const options = isObject(rest) && Array.isArray(rest['enum']) && !rest['enum'].includes(null) ? { enum: [...rest['enum'], null] } : {}
  if (isString(rest['type'])) return { ...rest, ...options, type: [rest['type'], 'null'] }
  if (Array.isArray(rest['anyOf'])) return { ...rest, anyOf: [...rest['anyOf'], { type: 'null' }] }
  return { ...rest, ...options }
}

// ---- schemas that constrain the answer -----------------------------------------------------------------------------

const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'])
const WORDS = new Set(['title', 'description', 'default'])
const MAPS = new Set(['$defs', 'definitions', 'properties'])
/** Members that bind nothing. */
const LABELS = new Set(['$schema', '$id', '$comment', '$anchor', 'propertyOrdering', 'strict', 'name'])

/** The schema as constrained decoding takes it; undefined when it cannot: a schema that refers to itself. */
export function constrainingSchema(schema: JsonObject): CleanSchema | undefined {
  if (isRecursive(schema)) return undefined
  const lost = new Set<string>()
  return { schema: clean(schema, schema, lost), lost }
}

function clean(source: JsonObject, root: JsonObject, lost: Set<string>): JsonObject {
  const schema = merged(nullable(source), root)
  const result: Record<string, Json | undefined> = {}
  const unsaid: string[] = []
  const type = typeOf(schema)
  if (type !== undefined) result['type'] = type
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'type' || LABELS.has(name) || value === undefined) continue
    if (MAPS.has(name) && isObject(value))
      result[name] = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, isObject(one) ? clean(one, root, lost) : one]))
    else if (name === 'anyOf' || name === 'oneOf')
      result['anyOf'] = arrayOf(value).map((one) => (isObject(one) ? clean(one, root, lost) : one))
    else if (name === 'items' && isObject(value)) result[name] = clean(value, root, lost)
    else if (name === '$ref' && isString(value) && value.startsWith('#')) result[name] = value
    else if (isKept(name, value)) result[name] = value
    else if (name !== 'additionalProperties') {
      lost.add(name)
      unsaid.push(`${name} ${JSON.stringify(value)}`)
    }
  }
  if (isObjectType(type)) {
    const { additionalProperties: more } = schema
    const open = isObject(more) ? Object.keys(more).length > 0 : more !== false && schema['properties'] === undefined
    if (open) {
      lost.add('additionalProperties')
      if (isObject(more)) unsaid.push(`additionalProperties ${JSON.stringify(more)}`)
    }
    result['properties'] ??= {}
    result['additionalProperties'] = false
  } else if (schema['additionalProperties'] !== undefined) lost.add('additionalProperties')
  if (unsaid.length > 0) result['description'] = [schema['description'], `Must hold: ${unsaid.join(', ')}.`].filter(isString).join('\n\n')
  // Nothing may stand beside a reference.
  const { $ref, ...beside } = result
  if ($ref === undefined || Object.keys(beside).length === 0) return result
  const { $defs, definitions, ...words } = beside
  const maps = { ...($defs !== undefined && { $defs }), ...(definitions !== undefined && { definitions }) }
  return Object.keys(words).length === 0 ? { ...maps, $ref } : { ...maps, ...words, anyOf: [{ $ref }] }
}

function isKept(name: string, value: Json): boolean {
  if (WORDS.has(name)) return true
  if (name === 'required') return Array.isArray(value)
  if (name === 'enum') return Array.isArray(value) && value.every((one) => one === null || typeof one !== 'object')
  if (name === 'const') return value === null || typeof value !== 'object'
  if (name === 'format') return isString(value) && FORMATS.has(value)
  return name === 'minItems' && (value === 0 || value === 1)
}

function typeOf({ type, properties, items }: JsonObject): Json | undefined {
  if (isString(type)) return type.toLowerCase()
  if (type !== undefined) return type
  return isObject(properties) ? 'object' : isObject(items) ? 'array' : undefined
}

const isObjectType = (type: Json | undefined): boolean => type === 'object' || (Array.isArray(type) && type.includes('object'))

/** `allOf` as one schema. */
function merged(schema: JsonObject, root: JsonObject): JsonObject {
  const { allOf, ...rest } = schema
  const parts = arrayOf(allOf).filter(isObject)
  if (parts.length === 0) return allOf === undefined ? schema : rest
  const [only] = parts
  // One reference with words beside it, as schema generators write it.
  if (parts.length === 1 && only && isString(only['$ref']) && Object.keys(only).length === 1) return { ...rest, $ref: only['$ref'] }
  return parts.map((part) => merged(resolved(part, root), root)).reduce(both, rest)
}

/** True when some reference leads back to where it stands. */
export function isRecursive(schema: JsonObject): boolean {
  const visit = (node: Json | undefined, trail: readonly string[]): boolean => {
    if (Array.isArray(node)) return node.some((one) => visit(one, trail))
    if (!isObject(node)) return false
    const { $ref } = node
    if (isString($ref)) {
      if (trail.includes($ref) || $ref === '#') return true
      if (visit(targetOf($ref, schema), [...trail, $ref])) return true
    }
    return Object.entries(node).some(([name, value]) => name !== '$defs' && name !== 'definitions' && visit(value, trail))
  }
  return visit(schema, [])
}
