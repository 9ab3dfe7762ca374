/** Random damage to a JSON value, and a list of all its places. */
import type { Chance } from '../random.ts'

export type Path = readonly (string | number)[]

export const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -0,
  2 ** 53,
  '',
  'x',
  '\u0000',
  '\ud800',
  '😀',
  'a'.repeat(5_000),
  '{"a":',
  [],
  [[]],
  [null],
  ['x'],
  [1, 2],
  {},
  { '': null },
  { type: 'x' },
  { type: null },
  { type: 'text' },
  { constructor: 1, toString: null, hasOwnProperty: 'x' },
  JSON.parse('{"__proto__":{"polluted":true}}'),
]

const oddKeys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '\u0000',
  'type',
  'length',
  'then',
  '0',
  '😀',
  'x'.repeat(300),
]

/** Every place of a value, outermost first, the value itself excluded. */
export function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  const steps = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value)
  return steps.flatMap(([step, item]) => [[...path, step], ...placesOf(item, [...path, step])])
}

type Holder = Record<string | number, unknown>

export function put(root: unknown, path: Path, value: unknown): void {
  const holder = holderOf(root, path)
  const last = path.at(-1)
  if (holder && last !== undefined) Object.defineProperty(holder, last, { value, enumerable: true, configurable: true, writable: true })
}

function holderOf(root: unknown, path: Path): Holder | undefined {
  let holder = root
  for (const step of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, step)) return undefined
    holder = (holder as Holder)[step]
  }
  return typeof holder === 'object' && holder !== null ? (holder as Holder) : undefined
}

export function get(root: unknown, path: Path): unknown {
  const last = path.at(-1)
  const holder = holderOf(root, path)
  return last === undefined ? root : holder && Object.hasOwn(holder, last) ? holder[last] : undefined
}

/** One to four random changes of a value, in place. */
export function mutate(root: Record<string, unknown>, chance: Chance): void {
  for (let count = 1 + chance.below(4); count > 0; count--) {
    const places = placesOf(root)
    if (places.length === 0) return
    change(root, places, chance)
  }
}

function change(root: Record<string, unknown>, places: readonly Path[], chance: Chance): void {
  const path = chance.pick(places)
  const holder = holderOf(root, path)
  const last = path.at(-1)
  if (!holder || last === undefined) return
  switch (chance.below(8)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(last), 1)
      else delete holder[last]
      break
    case 1:
      if (Array.isArray(holder)) holder.splice(Number(last), 0, structuredClone(holder[last]))
      else put(root, [...path.slice(0, -1), chance.pick(oddKeys)], structuredClone(holder[last]))
      break
    case 2:
      put(root, path, structuredClone(get(root, chance.pick(places))))
      break
    case 3:
      if (!Array.isArray(holder)) {
        const value = holder[last]
        delete holder[last]
        put(root, [...path.slice(0, -1), chance.pick(oddKeys)], value)
      } else holder.reverse()
      break
    case 4:
      put(root, path, chance.one(0.5) ? [holder[last]] : { value: holder[last] })
      break
    case 5: {
      const value = holder[last]
      if (typeof value === 'string') put(root, path, damaged(value, chance))
      else if (typeof value === 'number') put(root, path, chance.pick([-value, value * 1e6, value + 0.5, String(value)]))
      else put(root, path, JSON.stringify(value))
      break
    }
    default:
      put(root, path, structuredClone(chance.pick(oddValues)))
  }
}

function damaged(text: string, chance: Chance): string {
  const position = chance.below(text.length + 1)
  switch (chance.below(4)) {
    case 0:
      return text.slice(0, position)
    case 1:
      return text.slice(0, position) + chance.pick(['\u0000', '\ud800', '"', '\\', '\n', '😀', '%', ',']) + text.slice(position)
    case 2:
      return text.toUpperCase()
    default:
      return text.repeat(chance.below(20))
  }
}

/** A body as text, now and then with damage that only text can have. */
export function textOfMutant(root: Record<string, unknown>, chance: Chance): string {
  const text = JSON.stringify(root)
  if (!chance.one(0.15)) return text
  const position = chance.below(text.length)
  switch (chance.below(4)) {
    case 0:
      return text.slice(0, position)
    case 1:
      return text.slice(0, position) + chance.pick(['}', ']', '"', ',', '\u0000', '1e999', '\\', '{']) + text.slice(position)
    case 2:
      return text.slice(0, position) + text.slice(position + 1 + chance.below(5))
    default:
      return text.replace(/:(-?\d+)/g, chance.pick([':1e999', ':$1.000000000000000005', ':-$1', ':1E-999', ':10000000000000000999']))
  }
}
