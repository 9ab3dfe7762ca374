/** Holds a statement against the ledger, model by model and day by day. Pure. */
import type { Nanos } from '../../core/money.ts'
import { type Cause, causesOf } from './causes.ts'
import { settleDayBoundaries } from './day-boundary.ts'
import { comparedNames } from './model-family.ts'
import { type Amounts, dayOf, type LedgerDay, type Period, type Statement, sumOf } from './statement.ts'
import { sameCost, sameTokens, type Tolerance } from './tolerance.ts'

/** What differs: tokens alone or with the cost that they make; the price of the same tokens; both; a whole side. */
export type DriftKind = 'tokens' | 'price' | 'both' | 'cost' | 'not-in-ledger' | 'not-in-statement'

export interface Drift {
  readonly model: string
  /** Names that were added up under it, where there are others. */
  readonly names: readonly string[]
  readonly day: string
  readonly kind: DriftKind
  readonly ledger: Amounts
  readonly statement: Amounts
  readonly causes: readonly Cause[]
}

export interface Comparison {
  /** Pairs of model and day that were held against each other. */
  readonly compared: number
  readonly drifts: readonly Drift[]
  /** Differences with an innocent reason. */
  readonly explained: readonly Drift[]
  /** Charged apart from any model, and not part of what the ledger has: by item and day. */
  readonly apart: readonly { readonly item: string; readonly day: string; readonly cost: Nanos }[]
  readonly ledgerCost: Nanos
  readonly statementCost: Nanos
}

/** One model on one day. */
export interface Pair {
  readonly model: string
  readonly names: Set<string>
  readonly day: string
  ledger: Amounts | undefined
  statement: Amounts | undefined
  rounding: Nanos
  estimated: number
  unpriced: number
}

/** Both may hold a day more at either end: those are only looked at for calls around midnight. */
export function compare({ rows }: Statement, ledger: readonly LedgerDay[], period: Period, tolerance: Tolerance): Comparison {
  const pairs = pairsOf(rows, ledger)
  const apart = apartOf(rows)
  const inside = (day: string): boolean => day >= dayOf(period.from) && day < dayOf(period.to)
  const found: Drift[] = []
  const explained: Drift[] = []
  const boundary = settleDayBoundaries([...pairs.values()], tolerance)
  let compared = 0
  for (const pair of pairs.values()) {
    if (!inside(pair.day)) continue
    compared++
    const kind = kindOf(pair, tolerance)
    if (kind === undefined) continue
    if (boundary.has(pair)) explained.push(driftOf(pair, kind, [{ id: 'day-boundary' }]))
    else if (kind === 'price' && takesApart(pair, apart, tolerance)) explained.push(driftOf(pair, kind, [{ id: 'billed-apart' }]))
    else found.push(driftOf(pair, kind, causesOf(pair, kind, tolerance)))
  }
  return {
    compared,
    drifts: found.sort(byWeight),
    explained,
    apart: [...apart].flatMap(([key, cost]) => {
      const [day = '', item = ''] = key.split('\n')
      return inside(day) && !sameCost(cost, 0n, tolerance) ? [{ item, day, cost }] : []
    }),
    ledgerCost: ledger.reduce((sum, row) => (inside(row.day) ? sum + row.cost : sum), 0n),
    statementCost: rows.reduce((sum, row) => (inside(row.day) ? sum + (row.cost ?? 0n) : sum), 0n),
  }
}

function pairsOf(rows: Statement['rows'], ledger: readonly LedgerDay[]): Map<string, Pair> {
  const nameOf = comparedNames(
    ledger.map(({ model }) => model),
    rows.flatMap(({ model }) => model ?? []),
  )
  const pairs = new Map<string, Pair>()
  const pairFor = (written: string, day: string): Pair => {
    const model = nameOf(written)
    const key = `${day}\n${model}`
    let pair = pairs.get(key)
    if (!pair) {
      pair = { model, names: new Set(), day, ledger: undefined, statement: undefined, rounding: 0n, estimated: 0, unpriced: 0 }
      pairs.set(key, pair)
    }
    if (written.toLowerCase() !== model) pair.names.add(written)
    return pair
  }
  for (const { model, day, estimated, unpriced, provider: _, ...amounts } of ledger) {
    const pair = pairFor(model, day)
    pair.ledger = sumOf(pair.ledger ?? {}, amounts)
    pair.estimated += estimated
    pair.unpriced += unpriced
  }
  for (const { model, day, rounding = 0n, item: _, ...amounts } of rows) {
    if (model === undefined) continue
    const pair = pairFor(model, day)
    pair.statement = sumOf(pair.statement ?? {}, amounts)
    pair.rounding += rounding
  }
  return pairs
}

/** Costs without a model, by day and item. */
function apartOf(rows: Statement['rows']): Map<string, Nanos> {
  const apart = new Map<string, Nanos>()
  for (const { model, item = 'other', day, cost } of rows) {
    if (model !== undefined || !cost) continue
    const key = `${day}\n${item}`
    apart.set(key, (apart.get(key) ?? 0n) + cost)
  }
  return apart
}

/** Undefined: they agree as far as both say. */
export function kindOf({ ledger, statement, rounding }: Pair, tolerance: Tolerance): DriftKind | undefined {
  if (!ledger || isNothing(ledger, tolerance)) return statement && !isNothing(statement, tolerance) ? 'not-in-ledger' : undefined
  if (!statement || isNothing(statement, tolerance)) return 'not-in-statement'
  const counted = statement.inputTokens !== undefined || statement.outputTokens !== undefined
  const tokens = tokensAgree(ledger, statement, tolerance)
  const cost = statement.cost === undefined || sameCost(ledger.cost ?? 0n, statement.cost, tolerance, rounding)
  if (tokens && cost) return undefined
  if (!counted) return 'cost'
  if (tokens) return 'price'
  return cost || costFollows(ledger, statement, tolerance, rounding) ? 'tokens' : 'both'
}

const tokensAgree = (ledger: Amounts, statement: Amounts, tolerance: Tolerance): boolean =>
  (['inputTokens', 'outputTokens'] as const).every(
    (name) => statement[name] === undefined || sameTokens(ledger[name] ?? 0, statement[name], tolerance),
  )

/** The cost differs as the tokens do: its share lies between those of input and output. */
function costFollows(ledger: Amounts, statement: Amounts, tolerance: Tolerance, rounding: Nanos): boolean {
  const shares = (['inputTokens', 'outputTokens'] as const).flatMap((name) =>
    ledger[name] && statement[name] !== undefined ? [statement[name] / ledger[name]] : [],
  )
  if (shares.length === 0 || !ledger.cost || statement.cost === undefined) return false
  const scaled = (share: number): bigint => ((ledger.cost ?? 0n) * BigInt(Math.round(share * 1e9))) / 1_000_000_000n
  const [least, most] = [scaled(Math.min(...shares)), scaled(Math.max(...shares))]
  const { cost } = statement
  if (cost >= least && cost <= most) return true
  return sameCost(cost, cost < least ? least : most, tolerance, rounding)
}

const isNothing = (amounts: Amounts, tolerance: Tolerance): boolean =>
  (amounts.inputTokens ?? 0) + (amounts.outputTokens ?? 0) <= tolerance.tokens && sameCost(amounts.cost ?? 0n, 0n, tolerance)

/** The ledger has searches and the like with the model; where the provider bills them apart, they account for the rest. */
function takesApart({ day, ledger, statement, rounding }: Pair, apart: Map<string, Nanos>, tolerance: Tolerance): boolean {
  let missing = (ledger?.cost ?? 0n) - (statement?.cost ?? 0n)
  const entries = [...apart].filter(([key, cost]) => key.startsWith(`${day}\n`) && cost > 0n)
  const all = entries.reduce((sum, [, cost]) => sum + cost, 0n)
  if (missing <= 0n || (all < missing && !sameCost(all, missing, tolerance, rounding))) return false
  for (const [key, cost] of entries) {
    const taken = cost < missing ? cost : missing
    apart.set(key, cost - taken)
    missing -= taken
  }
  return true
}

const driftOf = ({ model, names, day, ledger, statement }: Pair, kind: DriftKind, causes: readonly Cause[]): Drift => ({
  model,
  names: [...names].sort(),
  day,
  kind,
  ledger: ledger ?? {},
  statement: statement ?? {},
  causes,
})

/** The most money first, then the most tokens. */
function byWeight(one: Drift, other: Drift): number {
  const cost = ({ ledger, statement }: Drift): number => Math.abs(Number((statement.cost ?? ledger.cost ?? 0n) - (ledger.cost ?? 0n)))
  const tokens = ({ ledger, statement }: Drift): number =>
    Math.abs((statement.inputTokens ?? 0) - (ledger.inputTokens ?? 0)) +
    Math.abs((statement.outputTokens ?? 0) - (ledger.outputTokens ?? 0))
  return cost(other) - cost(one) || tokens(other) - tokens(one) || one.day.localeCompare(other.day) || one.model.localeCompare(other.model)
}
