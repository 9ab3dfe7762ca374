/**
 * What a JSON text says and its parsed value does not: keys that stand twice in one object, and numbers that no double
 * holds. The same text forwarded loses neither; a value written anew would, in silence.
 */
import { at, type Json } from './json.ts'

export interface Alteration {
  readonly path: string
  /** `repeated`: the key stands twice. `rounded`: the number is near `text`. `beyond`: it is larger than any double. */
  readonly kind: 'repeated' | 'rounded' | 'beyond'
  /** The number as the text has it, or the key. */
  readonly text: string
}

const none: readonly Alteration[] = []

/** `keys` is how many members the text has at all depths (`scanMembers`). */
export function alterations(text: string, json: Json, keys: number): readonly Alteration[] {
  return countKeys(json) === keys && numbersAreKept(text) ? none : locate(text)
}

function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) for (const item of value) count += countKeys(item)
  else
    for (const item of Object.values(value)) {
      count++
      if (typeof item === 'object' && item !== null) count += countKeys(item)
    }
  return count
}

const isNumberStart = (code: number): boolean => code === 45 || (code >= 48 && code <= 57)
const isNumberPart = (code: number): boolean => isNumberStart(code) || code === 46 || code === 43 || code === 69 || code === 101

function numberEnd(text: string, start: number): number {
  let end = start + 1
  while (isNumberPart(text.charCodeAt(end))) end++
  return end
}

function stringEnd(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return end + 1
  }
}

function numbersAreKept(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 34) index = stringEnd(text, index) - 1
    else if (isNumberStart(code)) {
      const end = numberEnd(text, index)
      if (!isKept(text.slice(index, end))) return false
      index = end - 1
    }
  }
  return true
}

/** Whether the number, read and written again, is the same number. */
function isKept(token: string): boolean {
  // Every decimal of 15 digits survives a double.
  if (token.length <= 15 && !/[eE]/.test(token)) return true
  const value = Number(token)
  return Number.isFinite(value) && decimal(token) === decimal(String(value))
}

/** Digits without zeros at either end, and the power of ten behind them. */
function decimal(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '0'
  return `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}

interface Level {
  readonly path: string
  /** Undefined in an array. */
  readonly seen: Set<string> | undefined
  index: number
  key: string | undefined
}

/** The slow way, with paths: only for texts that are known to hold something. */
function locate(text: string): readonly Alteration[] {
  const found: Alteration[] = []
  const levels: Level[] = []
  const here = (): string => {
    const level = levels.at(-1)
    return level ? at(level.path, level.seen ? (level.key ?? '') : level.index) : ''
  }
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const level = levels.at(-1)
    if (code === 34) {
      const end = stringEnd(text, index)
      if (level?.seen && level.key === undefined) {
        level.key = String(JSON.parse(text.slice(index, end)))
        if (level.seen.has(level.key)) found.push({ path: here(), kind: 'repeated', text: level.key })
        level.seen.add(level.key)
      }
      index = end - 1
    } else if (code === 123 || code === 91)
      levels.push({ path: here(), seen: code === 123 ? new Set() : undefined, index: 0, key: undefined })
    else if (code === 125 || code === 93) levels.pop()
    else if (code === 44 && level) {
      level.index++
      level.key = undefined
    } else if (isNumberStart(code)) {
      const end = numberEnd(text, index)
      const token = text.slice(index, end)
      if (!isKept(token)) found.push({ path: here(), kind: Number.isFinite(Number(token)) ? 'rounded' : 'beyond', text: token })
      index = end - 1
    }
  }
  return found
}
