/** Checked reading of a client's body: null is the same as absent, a wrong type is a fault with its path. */
import { invalid } from '../../core/error.ts'
import { at, isObject, type Json, type JsonObject } from '../../core/json.ts'

const nothing = (value: Json | undefined): value is null | undefined => value === undefined || value === null

const wrong = (path: string, expected: string, value: Json | undefined): Error =>
  invalid(
    `${path || 'The body'} must be ${expected}, not ${Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`}.`,
    path,
  )

export function textAt(owner: JsonObject, key: string, path: string): string | undefined {
  const value = owner[key]
  if (nothing(value)) return undefined
  if (typeof value !== 'string') throw wrong(at(path, key), 'a string', value)
  return value
}

export function numberAt(owner: JsonObject, key: string, path: string): number | undefined {
  const value = owner[key]
  if (nothing(value)) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(at(path, key), 'a finite number', value)
  return value
}

export function countAt(owner: JsonObject, key: string, path: string): number | undefined {
  const value = numberAt(owner, key, path)
  if (value !== undefined && (!Number.isInteger(value) || value < 0))
    throw invalid(`${at(path, key)} must be a whole number, 0 or more.`, at(path, key))
  return value
}

export function flagAt(owner: JsonObject, key: string, path: string): boolean | undefined {
  const value = owner[key]
  if (nothing(value)) return undefined
  if (typeof value !== 'boolean') throw wrong(at(path, key), 'true or false', value)
  return value
}

export function objectAt(owner: JsonObject, key: string, path: string): JsonObject | undefined {
  const value = owner[key]
  if (nothing(value)) return undefined
  return asObject(value, at(path, key))
}

export function listAt(owner: JsonObject, key: string, path: string): readonly Json[] | undefined {
  const value = owner[key]
  if (nothing(value)) return undefined
  if (!Array.isArray(value)) throw wrong(at(path, key), 'an array', value)
  return value
}

/** A list of strings, or the one string that may stand in its place. */
export function textsAt(owner: JsonObject, key: string, path: string): readonly string[] | undefined {
  const value = owner[key]
  if (nothing(value)) return undefined
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) throw wrong(at(path, key), 'a string or an array of strings', value)
  return value.map((one, index) => {
    if (typeof one !== 'string') throw wrong(at(at(path, key), index), 'a string', one)
    return one
  })
}

export function asObject(value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw wrong(path, 'an object', value)
  return value
}

const saysNothing = (value: Json | undefined): boolean =>
  nothing(value) || value === '' || (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0)

/** The members that are not `known` (nor `mark`), without those that say nothing; undefined when none are left. */
export function restOf(owner: JsonObject, known: ReadonlySet<string>, mark = ''): JsonObject | undefined {
  const entries = Object.entries(owner).filter(([key, value]) => !known.has(key) && key !== mark && !saysNothing(value))
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

export const names = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter(Boolean))
