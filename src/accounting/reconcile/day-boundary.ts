/**
 * Calls around midnight. The ledger counts a call on the day it began, a provider perhaps on the day it ended, so what one
 * day has too much the next one has too little. Such neighbours together show no difference.
 */
import type { Pair } from './compare.ts'
import { DAY_MS } from './statement.ts'
import type { Tolerance } from './tolerance.ts'

interface Difference {
  readonly input: number
  readonly output: number
  readonly cost: number
}

/** What is left over of the largest difference, at most, when neighbours cancel out. */
const REST = 0.05
/** Neighbours that are looked at together. */
const MOST_DAYS = 4

export function settleDayBoundaries(pairs: readonly Pair[], tolerance: Tolerance): ReadonlySet<Pair> {
  const settled = new Set<Pair>()
  const byModel = new Map<string, Pair[]>()
  for (const pair of pairs) byModel.set(pair.model, [...(byModel.get(pair.model) ?? []), pair])
  for (const own of byModel.values()) {
    const days = own.toSorted((a, b) => a.day.localeCompare(b.day))
    for (let start = 0; start < days.length; start++) {
      const until = cancelledBy(days, start, tolerance)
      for (let index = start; index <= until; index++) settled.add(days[index] as Pair)
      start = Math.max(start, until)
    }
  }
  return settled
}

/** The day up to which the differences from `start` on add up to nothing; before `start` when they do not. */
function cancelledBy(days: readonly Pair[], start: number, tolerance: Tolerance): number {
  const differences: Difference[] = []
  for (let index = start; index < Math.min(days.length, start + MOST_DAYS); index++) {
    const pair = days[index] as Pair
    const previous = days[index - 1]
    if (index > start && previous && Date.parse(pair.day) - Date.parse(previous.day) !== DAY_MS) break
    const difference = differenceOf(pair)
    if (!difference) break
    // Only tokens that moved with their cost can have moved over midnight.
    if (index === start && difference.input === 0 && difference.output === 0) break
    differences.push(difference)
    if (index > start && cancel(differences, days.slice(start, index + 1), tolerance)) return index
  }
  return start - 1
}

function differenceOf({ ledger, statement }: Pair): Difference | undefined {
  if (statement?.inputTokens === undefined && statement?.outputTokens === undefined && ledger !== undefined && statement !== undefined)
    return undefined
  return {
    input: (statement?.inputTokens ?? 0) - (ledger?.inputTokens ?? 0),
    output: (statement?.outputTokens ?? 0) - (ledger?.outputTokens ?? 0),
    cost: statement && statement.cost === undefined ? 0 : Number((statement?.cost ?? 0n) - (ledger?.cost ?? 0n)),
  }
}

function cancel(differences: readonly Difference[], pairs: readonly Pair[], tolerance: Tolerance): boolean {
  const rounding = Number(pairs.reduce((sum, pair) => sum + pair.rounding, 0n))
  const gone = (name: keyof Difference, least: number): boolean => {
    const values = differences.map((difference) => difference[name])
    const rest = Math.abs(values.reduce((sum, value) => sum + value, 0))
    const largest = Math.max(...values.map(Math.abs))
    return rest <= Math.max(least, REST * largest)
  }
  return gone('input', tolerance.tokens) && gone('output', tolerance.tokens) && gone('cost', Number(tolerance.cost) + rounding)
}
