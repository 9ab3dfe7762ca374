/** JSON Schemas under OpenAI's rules. */
import { isObject, type Json, type JsonObject } from '../../core/json.ts'

/** Every object is closed and requires all that it has: what strict mode demands. */
export function isStrictReady(schema: Json | undefined): boolean {
  if (Array.isArray(schema)) return schema.every(isStrictReady)
  if (!isObject(schema)) return true
  const { properties } = schema
  if (isObject(properties) || schema['type'] === 'object') {
    const names = isObject(properties) ? Object.keys(properties) : []
    const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
    if (schema['additionalProperties'] !== false || !names.every((name) => required.has(name))) return false
  }
  const inner = [
    ...(isObject(properties) ? Object.values(properties) : []),
    schema['items'],
    schema['anyOf'],
    schema['allOf'],
    schema['oneOf'],
  ]
  const defined = [schema['$defs'], schema['definitions']].flatMap((one) => (isObject(one) ? Object.values(one) : []))
  return [...inner, ...defined].every(isStrictReady)
}

/** A function's parameters: there must be a schema, and its root must be an object. */
export function parametersOf(schema: JsonObject | undefined): JsonObject {
  if (!schema) return { type: 'object', properties: {} }
  if (schema['type'] !== undefined || schema['$ref'] !== undefined || schema['anyOf'] !== undefined || schema['oneOf'] !== undefined)
    return schema
  return { type: 'object', ...(schema['properties'] === undefined && { properties: {} }), ...schema }
}
