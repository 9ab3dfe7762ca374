/** Finds the lines of problems in the text. Only called when there are some: reading JSON a second time is slow. */
import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Problem } from './config.ts'

export function locate(text: string, problems: readonly Problem[]): Problem[] {
  const lines = new LineCounter()
  const { contents } = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  return problems.map((problem) => {
    const { keys, ...rest } = problem as Problem & { readonly keys?: readonly PropertyKey[] }
    const offset = offsetOf(contents, keys ?? [])
    if (offset === undefined) return rest
    const { line, col } = lines.linePos(offset)
    return { ...rest, line, column: col }
  })
}

/** Where the last of the keys stands; where it is missing, its section. */
function offsetOf(root: Node | null, keys: readonly PropertyKey[]): number | undefined {
  let offset: number | undefined
  let node: unknown = root
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (!pair) break
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      if (!isNode(node)) break
      offset = node.range?.[0] ?? offset
    } else break
  }
  return offset
}
