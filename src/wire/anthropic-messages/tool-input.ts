/** A call's arguments as the object the API has for them. Models sometimes write something else, or are cut short. */
import { isObject, type JsonObject, parseJson } from '../../core/json.ts'

/** The object that the arguments are, or the nearest to it that keeps what was written. */
export function inputOf(text: string, freeform = false): JsonObject {
  if (freeform) return { input: text }
  const whole = objectIn(text)
  if (whole) return whole
  const ending = closingOf(text)
  const closed = ending === undefined ? undefined : parseJson(text + ending)
  return isObject(closed) ? closed : { input: text }
}

/** Undefined: it is no object, nor anything that means one. */
export function objectIn(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  const value = parseJson(text)
  if (isObject(value)) return value
  if (value === null) return {}
  // Some hosts encode the arguments twice.
  const inner = typeof value === 'string' ? parseJson(value) : undefined
  return isObject(inner) ? inner : undefined
}

const IN_STRING = ['"', '\\"', '0"', '00"', '000"', '0000"'].flatMap((end) => [end, `${end}:null`])
const OUTSIDE = ['', 'null', ':null', '"":null', '0', 'e', 'ue', 'rue', 'se', 'lse', 'alse', 'l', 'll', 'ull']

/** What has to follow an object that was cut short so that it can be read; undefined when nothing helps. */
export function closingOf(text: string): string | undefined {
  const open: string[] = []
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (inString) {
      if (character === '\\') index++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{') open.push('}')
    else if (character === '[') open.push(']')
    else if (character === '}' || character === ']') open.pop()
  }
  const brackets = open.reverse().join('')
  return (inString ? IN_STRING : OUTSIDE).map((fill) => fill + brackets).find((ending) => isObject(parseJson(text + ending)))
}
