/** Headers as they stand in messages of HTTP/1.1: written, and read by the letter. */
import type { Headers } from './http.ts'

const NAME = /^[!#$%&'*+.^_`|~\w-]+$/
const VALUE = /^[\t -~\x80-\xff]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/

interface Name {
  readonly written: string
  readonly lower: string
}

/** By how they are written: there are few, and what was found good once needs no second look. */
const names = new Map<string, Name>()
const MOST_NAMES = 1_000
const LONGEST_KEPT = 40

/** Undefined: no name. */
function nameOf(written: string): Name | undefined {
  const known = names.get(written)
  if (known || !NAME.test(written)) return known
  if (written.length > LONGEST_KEPT) return { written, lower: written.toLowerCase() }
  const name = { written: copied(written), lower: copied(written.toLowerCase()) }
  if (names.size >= MOST_NAMES) names.clear()
  names.set(name.written, name)
  return name
}

/** A part of a text keeps all of it in memory, with the credentials in it. */
const copied = (text: string): string => text.split('').join('')

/** Latin-1, each with its line's end. Throws TypeError where a header could end its own line: another message would be read from it. */
export function headerLines(headers: Readonly<Headers>): string {
  let lines = ''
  for (const name in headers) {
    const value = headers[name]!
    if (nameOf(name) === undefined || !VALUE.test(value)) throw new TypeError(`The header ${JSON.stringify(name)} cannot be sent.`)
    lines += `${name}: ${value}\r\n`
  }
  return lines
}

const COLON = 0x3a
/** Headers of one message whose names are remembered. */
const MOST_BEFORE = 64
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/** Names of the message before on the same connection: most messages have them again, in the same order. */
export type NamesBefore = Name[]

/**
 * The header lines from here to the end of the text, which is the end of the last one. Undefined where one of them is not by the
 * grammar, and where one is repeated that may not be.
 */
export function readHeaders(text: string, start: number, repeated: 'join' | 'refuse', before?: NamesBefore): Headers | undefined {
  const headers: Headers = {}
  for (let at = start, index = 0; at < text.length; index++) {
    let name = before?.[index]
    let colon = name ? at + name.written.length : -1
    if (!name || text.charCodeAt(colon) !== COLON || !text.startsWith(name.written, at)) {
      colon = text.indexOf(':', at)
      name = colon < 0 ? undefined : nameOf(text.slice(at, colon))
      if (!name) return undefined
      if (before && index < MOST_BEFORE && name.written.length <= LONGEST_KEPT) before[index] = name
    }
    const { lower } = name
    const end = text.indexOf('\r\n', colon)
    let from = colon + 1
    let to = end
    while (isBlank(text.charCodeAt(from))) from++
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--
    const value = text.slice(from, to)
    if (CONTROL.test(value)) return undefined
    const known: unknown = headers[lower]
    // Of what every object has, only what was put there is a string.
    if (known !== undefined && repeated === 'refuse') return undefined
    headers[lower] = typeof known === 'string' ? `${known}, ${value}` : value
    at = end + 2
  }
  return headers
}
