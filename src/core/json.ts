/** JSON as it arrives: nothing is known of it until it is asked. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
export const isString = (value: unknown): value is string => typeof value === 'string'
export const isFilled = (value: unknown): value is string => typeof value === 'string' && value !== ''
export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

export const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
export const numberOf = (value: unknown): number | undefined => (isNumber(value) ? value : undefined)
export const objectOf = (value: unknown): JsonObject | undefined => (isObject(value) ? value : undefined)
export const arrayOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : [])

/** Text of a string or a number; anything else, even with a `toString` of its own, is an empty text. */
export const wordOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')

/** The parsed value, or undefined when the text is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The path of a member, as errors and `x-signalbox-dropped` name it: `messages[2].content[0].text`. */
export const at = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`

/** A copy without the members that are undefined; own `__proto__` members stay data. */
export function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}
