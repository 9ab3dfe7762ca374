/** Google's schema dialect (a subset of OpenAPI's) as JSON Schema, and JSON Schema as Google's `…JsonSchema` members take it. */
import { isObject, type Json, type JsonObject } from '../../core/json.ts'

/** The protocol's numbers for types, which some clients send. */
const TYPES = [undefined, 'string', 'number', 'integer', 'boolean', 'array', 'object', 'null']
const NUMBERS = new Set([
  'min_items',
  'max_items',
  'min_length',
  'max_length',
  'min_properties',
  'max_properties',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
])
const CAMEL = new Map(
  ['any_of', 'property_ordering', 'min_items', 'max_items', 'min_length', 'max_length', 'min_properties', 'max_properties'].map((key) => [
    key,
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ]),
)

/** `{ type: 'STRING', nullable: true }` becomes `{ type: ['string', 'null'] }`. What is JSON Schema already stays as it is. */
export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const nullable = schema['nullable'] === true
  const entries = Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
    if (value === undefined || key === 'nullable') return []
    switch (key) {
      case 'type':
        return [[key, typeOf(value, nullable)]]
      case 'enum':
        return [[key, nullable && Array.isArray(value) && !value.includes(null) ? [...value, null] : value]]
      case 'properties':
        return [
          [key, isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, child]) => [name, childOf(child ?? null)])) : value],
        ]
      case 'items':
      case 'additionalProperties':
        return [[key, childOf(value)]]
      case 'anyOf':
      case 'any_of':
        return [['anyOf', branchesOf(value, nullable && schema['type'] === undefined)]]
      default:
        // 64-bit numbers travel as text in this dialect.
        return [[CAMEL.get(key) ?? key, NUMBERS.has(key) && typeof value === 'string' ? Number(value) : value]]
    }
  })
  return Object.fromEntries(entries)
}

const childOf = (value: Json): Json => (isObject(value) ? jsonSchemaOf(value) : value)

function branchesOf(value: Json, nullable: boolean): Json {
  const branches = (Array.isArray(value) ? value : [value]).map(childOf)
  return nullable ? [...branches, { type: 'null' }] : branches
}

function typeOf(value: Json, nullable: boolean): Json {
  const one = (name: Json): Json =>
    typeof name === 'number' ? (TYPES[name] ?? name) : typeof name === 'string' ? name.toLowerCase() : name
  const types = Array.isArray(value) ? value.map(one) : one(value)
  return nullable ? [...(Array.isArray(types) ? types : [types]), 'null'] : types
}

/** JSON Schema for Google: `const` has no place there, a list of one value says the same. */
export function googleSchemaOf(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
      if (value === undefined) return []
      if (key === 'const') return schema['enum'] === undefined ? [['enum', [value]]] : []
      if (isObject(value)) {
        // Under these keys stand names of the client, not keywords.
        if (/^(properties|patternProperties|\$defs|definitions|dependentSchemas)$/.test(key))
          return [
            [
              key,
              Object.fromEntries(
                Object.entries(value).map(([name, child]) => [name, isObject(child) ? googleSchemaOf(child) : (child ?? null)]),
              ),
            ],
          ]
        return [[key, key === 'default' || key === 'example' ? value : googleSchemaOf(value)]]
      }
      if (Array.isArray(value) && /^(anyOf|oneOf|allOf|prefixItems|items)$/.test(key))
        return [[key, value.map((one: Json) => (isObject(one) ? googleSchemaOf(one) : one))]]
      return [[key, value]]
    }),
  )
}
