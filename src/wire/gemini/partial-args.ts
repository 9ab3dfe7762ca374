/** Arguments that Vertex streams piece by piece: each piece names a place by a JSON path and gives a value or more of a string. */
import { isNumber, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'

type Tree = { [key: string]: Node } | Node[]
type Node = Tree | string | number | boolean | null

/** Most items that a path may ask for in a list: an index is a place, not a size. */
const MAX_INDEX = 10_000

export class ArgumentsBuilder {
  // No prototype: `__proto__` is a name like any other.
  readonly #root: Tree = Object.create(null)
  /** Paths of strings that go on in the next piece. */
  readonly #open = new Set<string>()

  merge(args: JsonObject): void {
    for (const [key, value] of Object.entries(args))
      if (value !== undefined) (this.#root as Record<string, Node>)[key] = structuredClone(value) as Node
  }

  add(piece: Json): void {
    if (!isObject(piece)) return
    const jsonPath = piece['jsonPath'] ?? piece['json_path']
    const steps = isString(jsonPath) ? stepsOf(jsonPath) : []
    const value = pieceValue(piece)
    if (!isString(jsonPath) || steps.length === 0 || value === undefined) return
    this.#put(steps, value, this.#open.has(jsonPath))
    if ((piece['willContinue'] ?? piece['will_continue']) === true) this.#open.add(jsonPath)
    else this.#open.delete(jsonPath)
  }

  get value(): JsonObject {
    return this.#root as JsonObject
  }

  #put(steps: readonly (string | number)[], value: Node, more: boolean): void {
    let place: Tree = this.#root
    steps.forEach((step, index) => {
      if (typeof step === 'number' && step > MAX_INDEX) return
      const holder = place as Record<string | number, Node | undefined>
      if (index === steps.length - 1) {
        const before = holder[step]
        holder[step] = more && typeof before === 'string' && typeof value === 'string' ? before + value : value
        return
      }
      const next = holder[step]
      if (typeof next === 'object' && next !== null) place = next
      else {
        const fresh: Tree = typeof steps[index + 1] === 'number' ? [] : Object.create(null)
        holder[step] = fresh
        place = fresh
      }
    })
  }
}

function pieceValue(piece: JsonObject): Node | undefined {
  for (const name of ['stringValue', 'string_value']) if (isString(piece[name])) return piece[name]
  for (const name of ['numberValue', 'number_value']) if (isNumber(piece[name])) return piece[name]
  for (const name of ['boolValue', 'bool_value']) if (typeof piece[name] === 'boolean') return piece[name]
  return 'nullValue' in piece || 'null_value' in piece ? null : undefined
}

/** `$.a.b[0]['c d']` as names and indexes. */
function stepsOf(path: string): (string | number)[] {
  const steps: (string | number)[] = []
  for (const [, name, index, quoted] of path.replace(/^\$/, '').matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[['"]((?:[^'"\\]|\\.)*)['"]\]/g)) {
    if (index !== undefined) steps.push(Number(index))
    else steps.push(name ?? (quoted ?? '').replace(/\\(.)/g, '$1'))
  }
  return steps
}

/** Whole arguments and pieces of one call together. */
export function argumentsOf(args: JsonObject | undefined, pieces: readonly Json[]): JsonObject {
  if (pieces.length === 0) return args ?? {}
  const builder = new ArgumentsBuilder()
  if (args) builder.merge(args)
  for (const piece of pieces) builder.add(piece)
  return builder.value
}
