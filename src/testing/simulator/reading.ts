/** Reading request bodies strictly, with the path in every complaint. */
import { at, isNumber, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { SimulatedRejection } from './types.ts'

export function requireString(value: Json | undefined, path: string): string {
  if (!isString(value)) throw new SimulatedRejection(`${path}: a string is required.`, path)
  return value
}

export function requireObject(value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw new SimulatedRejection(`${path}: an object is required.`, path)
  return value
}

export function requireList(value: Json | undefined, path: string): readonly Json[] {
  if (!Array.isArray(value)) throw new SimulatedRejection(`${path}: an array is required.`, path)
  return value
}

/** The list, or none when the member is absent or null. */
export const optionalList = (value: Json | undefined, path: string): readonly Json[] =>
  value === undefined || value === null ? [] : requireList(value, path)

export function optionalCount(value: Json | undefined, path: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (!isNumber(value) || value < 0 || !Number.isInteger(value)) throw new SimulatedRejection(`${path}: a whole number is required.`, path)
  return value
}

export function optionalFlag(value: Json | undefined, path: string): boolean {
  if (value === undefined || value === null) return false
  if (typeof value !== 'boolean') throw new SimulatedRejection(`${path}: true or false is required.`, path)
  return value
}

export function optionalBetween(value: Json | undefined, path: string, least: number, most: number): void {
  if (value === undefined || value === null) return
  if (!isNumber(value) || value < least || value > most) throw new SimulatedRejection(`${path}: must be from ${least} to ${most}.`, path)
}

export const objectsIn = (value: Json | undefined, path: string): readonly (readonly [JsonObject, string])[] =>
  optionalList(value, path).map((one, index) => [requireObject(one, at(path, index)), at(path, index)] as const)

/** The size of base64 data in bytes, before coding; complains when it is none. */
export function base64Size(data: string, path: string): number {
  if (data === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(data)) throw new SimulatedRejection(`${path}: not valid base64.`, path)
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4)
}

/** What an URL or `data:` URL points to, in words. */
export function describeUrl(url: string, kind: string, path: string): string {
  const [, mime, data] = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/s.exec(url) ?? []
  if (data !== undefined) return `${kind} ${mime}, ${base64Size(data, path)} bytes`
  if (!/^(https?|gs|file|data):/.test(url)) throw new SimulatedRejection(`${path}: not a URL.`, path)
  return `${kind} ${url}`
}

/** How many answers are wanted: one when nothing is said. */
export function copiesOf(value: Json | undefined, path: string, most: number): number {
  const copies = optionalCount(value, path) ?? 1
  if (copies < 1 || copies > most) throw new SimulatedRejection(`${path}: must be from 1 to ${most}.`, path)
  return copies
}
