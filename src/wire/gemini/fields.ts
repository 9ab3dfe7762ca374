/** Members of Google's JSON, which is protocol buffers in JSON form: two spellings, single things for lists, numbers as text. */
import { invalid } from '../../core/error.ts'
import { at, isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'

/** A member with the path under which the client wrote it. */
export interface Member {
  readonly value: Json
  readonly path: string
}

const camelOf = (key: string): string =>
  key.includes('_') ? key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : key

/**
 * One object of the body, read by camelCase names whichever spelling it has. Null is the same as absent. What nobody takes
 * is left for `extras`.
 */
export class Fields {
  readonly path: string
  readonly #object: JsonObject
  readonly #keys = new Map<string, string>()

  constructor(object: JsonObject, path: string) {
    this.path = path
    this.#object = object
    for (const key of Object.keys(object)) {
      if (object[key] === null || object[key] === undefined) continue
      const name = camelOf(key)
      if (!this.#keys.has(name)) this.#keys.set(name, key)
      // The same member in both spellings: the second is nobody's, and so it is not lost.
      else this.#keys.set(`${name} again`, key)
    }
  }

  /** The names of the members that nobody has taken. */
  get names(): string[] {
    return [...this.#keys.keys()]
  }

  has(name: string): boolean {
    return this.#keys.has(name)
  }

  take(name: string): Member | undefined {
    const key = this.#keys.get(name)
    if (key === undefined) return undefined
    this.#keys.delete(name)
    return { value: this.#object[key] as Json, path: at(this.path, key) }
  }

  object(name: string): Fields | undefined {
    const member = this.take(name)
    if (!member) return undefined
    if (!isObject(member.value)) throw invalid(`${name} must be an object.`, member.path)
    return new Fields(member.value, member.path)
  }

  /** A list, or the single thing that Google takes in its place. */
  list(name: string): readonly Member[] | undefined {
    const member = this.take(name)
    return member && membersOf(member)
  }

  string(name: string): string | undefined {
    const member = this.take(name)
    if (!member) return undefined
    if (typeof member.value !== 'string') throw invalid(`${name} must be a string.`, member.path)
    return member.value
  }

  number(name: string): { readonly value: number; readonly path: string } | undefined {
    const member = this.take(name)
    if (!member) return undefined
    const value = typeof member.value === 'string' && member.value.trim() !== '' ? Number(member.value) : member.value
    if (!isNumber(value)) throw invalid(`${name} must be a number.`, member.path)
    return { value, path: member.path }
  }

  boolean(name: string): { readonly value: boolean; readonly path: string } | undefined {
    const member = this.take(name)
    if (!member) return undefined
    if (typeof member.value !== 'boolean') throw invalid(`${name} must be true or false.`, member.path)
    return { value: member.value, path: member.path }
  }

  /** What nobody took, by its own key, with a prefix when it is kept further up. */
  rest(prefix = ''): [string, Json][] {
    return [...this.#keys.values()].map((key) => [prefix + key, this.#object[key] as Json])
  }

  /** The rest as the `extras` of a node. */
  extras(more: readonly (readonly [string, Json])[] = []): { extras?: JsonObject } {
    const entries = [...more, ...this.rest()]
    return entries.length > 0 ? { extras: Object.fromEntries(entries) } : {}
  }
}

/** The items of a list with their paths; a single thing stands for a list of one. */
export const membersOf = ({ value, path }: Member): readonly Member[] =>
  Array.isArray(value) ? value.map((item: Json, index) => ({ value: item, path: at(path, index) })) : [{ value, path }]

/** A required object. */
export function fieldsOf({ value, path }: Member): Fields {
  if (!isObject(value)) throw invalid(`${path} must be an object.`, path)
  return new Fields(value, path)
}
