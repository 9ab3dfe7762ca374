/** Reading a client's body: every value is checked where it is read, null is the same as absent. */
import { invalid } from '../../core/error.ts'
import { at, isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'

const present = (value: unknown): boolean => value !== undefined && value !== null

export function stringAt(object: JsonObject, key: string, path: string): string | undefined {
  const value = object[key]
  if (!present(value)) return undefined
  if (typeof value !== 'string') throw invalid(`${at(path, key)} must be a string.`, at(path, key))
  return value
}

export function numberAt(object: JsonObject, key: string, path: string): number | undefined {
  const value = object[key]
  if (!present(value)) return undefined
  if (!isNumber(value)) throw invalid(`${at(path, key)} must be a number.`, at(path, key))
  return value
}

export function booleanAt(object: JsonObject, key: string, path: string): boolean | undefined {
  const value = object[key]
  if (!present(value)) return undefined
  if (typeof value !== 'boolean') throw invalid(`${at(path, key)} must be true or false.`, at(path, key))
  return value
}

export function objectAt(object: JsonObject, key: string, path: string): JsonObject | undefined {
  const value = object[key]
  if (!present(value)) return undefined
  if (!isObject(value)) throw invalid(`${at(path, key)} must be an object.`, at(path, key))
  return value
}

/** A list, or the single thing that some clients send in its place. */
export function listAt(object: JsonObject, key: string, path: string): readonly { readonly value: Json; readonly path: string }[] {
  const value = object[key]
  if (value === undefined || value === null) return []
  const place = at(path, key)
  if (Array.isArray(value)) return value.map((item: Json, index) => ({ value: item, path: at(place, index) }))
  if (isObject(value)) return [{ value, path: place }]
  throw invalid(`${place} must be a list.`, place)
}

export function asObject(value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw invalid(`${path} must be an object.`, path)
  return value
}

/** Members without those of these names, and without nulls; undefined when nothing is left. */
export function others(object: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  const rest = Object.entries(object).filter(([key, value]) => present(value) && !known.has(key))
  return rest.length === 0 ? undefined : Object.fromEntries(rest)
}

/** Members of these names that are there; undefined when there is none. */
export function pick(object: JsonObject, names: readonly string[]): JsonObject | undefined {
  const found = names.filter((name) => present(object[name])).map((name) => [name, object[name]] as const)
  return found.length === 0 ? undefined : Object.fromEntries(found)
}
