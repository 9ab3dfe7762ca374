/** Reading members of a client's body: null is the same as absent, and a wrong type is a fault with its path. */
import type { CacheMark } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'

export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

export function stringAt(value: Json | undefined, path: string): string | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'string') throw invalid('Input should be a valid string', path)
  return value
}

export function requiredString(value: Json | undefined, path: string): string {
  const text = stringAt(value, path)
  if (text === undefined) throw invalid('Field required', path)
  return text
}

export function numberAt(value: Json | undefined, path: string): number | undefined {
  if (isAbsent(value)) return undefined
  if (!isNumber(value)) throw invalid('Input should be a valid number', path)
  return value
}

export function integerAt(value: Json | undefined, path: string, least: number): number | undefined {
  const number = numberAt(value, path)
  if (number === undefined) return undefined
  if (!Number.isInteger(number)) throw invalid('Input should be a valid integer', path)
  if (number < least) throw invalid(`Input should be greater than or equal to ${least}`, path)
  return number
}

export function booleanAt(value: Json | undefined, path: string): boolean | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'boolean') throw invalid('Input should be a valid boolean', path)
  return value
}

export function objectAt(value: Json | undefined, path: string): JsonObject | undefined {
  if (isAbsent(value)) return undefined
  if (!isObject(value)) throw invalid('Input should be an object', path)
  return value
}

export function requiredObject(value: Json | undefined, path: string): JsonObject {
  const object = objectAt(value, path)
  if (!object) throw invalid('Field required', path)
  return object
}

export function listAt(value: Json | undefined, path: string): readonly Json[] | undefined {
  if (isAbsent(value)) return undefined
  if (!Array.isArray(value)) throw invalid('Input should be a valid array', path)
  return value
}

export const stringsAt = (value: Json | undefined, path: string): readonly string[] | undefined =>
  listAt(value, path)?.map((item, index) => requiredString(item, at(path, index)))

/** The members nobody has read; undefined when there are none. */
export function unread(object: JsonObject, ...known: readonly string[]): JsonObject | undefined {
  const entries = Object.entries(object).filter(([name, value]) => !isAbsent(value) && !known.includes(name))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** Several leftovers in one; undefined when there are none. */
export function joined(...parts: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  const entries = parts.flatMap((part) => Object.entries(part ?? {})).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** The mark on a node, and what else its `cache_control` says. */
export function cacheOf(node: JsonObject, path: string): { cache?: CacheMark; more?: JsonObject } {
  const markPath = at(path, 'cache_control')
  const control = objectAt(node['cache_control'], markPath)
  if (!control) return {}
  const ttl = stringAt(control['ttl'], at(markPath, 'ttl'))
  const more = unread(control, 'type', 'ttl')
  return { cache: ttl === undefined ? { path: markPath } : { path: markPath, ttl }, more: more && { cache_control: more } }
}
