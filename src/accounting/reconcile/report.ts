/** What a reconciliation found, as data, JSON and text. */
import { dollarsOf, type Nanos } from '../../core/money.ts'
import { meaningOf } from './causes.ts'
import type { Comparison, Drift, DriftKind } from './compare.ts'
import { type Amounts, DAY_MS, dayOf, type Period } from './statement.ts'
import { relativeOf, type Tolerance } from './tolerance.ts'

export interface SourceReport extends Partial<Comparison> {
  readonly name: string
  readonly providers: readonly string[]
  /** Why its statement could not be read or compared. */
  readonly failed?: string
  readonly notes: readonly string[]
}

export interface ReconcileReport {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly period: Period
  readonly tolerance: Tolerance
  /** No drift, and every statement could be read. */
  readonly clean: boolean
  readonly sources: readonly SourceReport[]
}

const KINDS: Readonly<Record<DriftKind, string>> = {
  tokens: 'tokens differ',
  price: 'the price differs',
  both: 'tokens and price differ',
  cost: 'the cost differs; the statement has no tokens',
  'not-in-ledger': 'not in the ledger',
  'not-in-statement': 'not in the statement',
}

const COUNTS = ['requests', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

/** Plain JSON: money as decimal USD. Differences are what the statement has more than the ledger. */
export function reportJson({ at, period, tolerance, clean, sources }: ReconcileReport): object {
  return {
    at: new Date(at).toISOString(),
    from: dayOf(period.from),
    to: dayOf(period.to - DAY_MS),
    clean,
    tolerance: { relative: tolerance.relative, cost: dollarsOf(tolerance.cost), tokens: tolerance.tokens },
    sources: sources.map(({ name, providers, failed, notes, compared, drifts, explained, apart, ledgerCost, statementCost }) => ({
      name,
      providers,
      ...(failed !== undefined && { failed }),
      ...(notes.length > 0 && { notes }),
      ...(compared !== undefined && {
        compared,
        ledgerCost: moneyOf(ledgerCost),
        statementCost: moneyOf(statementCost),
        drifts: drifts?.map(driftJson),
        explained: explained?.map(driftJson),
        apart: apart?.map(({ cost, ...rest }) => ({ ...rest, cost: dollarsOf(cost) })),
      }),
    })),
  }
}

const moneyOf = (nanos: Nanos | undefined): string | undefined => (nanos === undefined ? undefined : dollarsOf(nanos))

const amountsJson = ({ cost, ...counts }: Amounts): object => ({ ...counts, ...(cost !== undefined && { cost: dollarsOf(cost) }) })

function driftJson(drift: Drift): object {
  const { model, names, day, kind, ledger, statement, causes } = drift
  return {
    model,
    ...(names.length > 0 && { names }),
    day,
    kind,
    ledger: amountsJson(ledger),
    statement: amountsJson(statement),
    difference: Object.fromEntries(differences(drift).map(({ name, written, relative }) => [name, { absolute: written, relative }])),
    causes: causes.map((cause) => ({ id: cause.id, ...(cause.calls !== undefined && { calls: cause.calls }), meaning: meaningOf(cause) })),
  }
}

interface Difference {
  readonly name: string
  readonly absolute: number | bigint
  readonly written: number | string
  readonly relative: number | undefined
}

/** Of what the statement tells. A side without the model has none of it. */
export function differences({ ledger, statement, kind }: Pick<Drift, 'ledger' | 'statement' | 'kind'>): readonly Difference[] {
  const absent = kind === 'not-in-statement'
  const found: Difference[] = []
  for (const name of COUNTS) {
    const told = statement[name] ?? (absent ? 0 : undefined)
    if (told === undefined) continue
    const own = ledger[name] ?? 0
    found.push({ name, absolute: told - own, written: told - own, relative: relativeOf(told - own, own) })
  }
  const told = statement.cost ?? (absent ? 0n : undefined)
  if (told !== undefined) {
    const own = ledger.cost ?? 0n
    found.push({ name: 'cost', absolute: told - own, written: dollarsOf(told - own), relative: relativeOf(told - own, own) })
  }
  return found
}

/** For people: one paragraph a source, one a drift. */
export function reportText({ at, period, clean, sources, tolerance }: ReconcileReport): string {
  const lines = [
    `Ledger and statements, ${dayOf(period.from)} to ${dayOf(period.to - DAY_MS)} (UTC), as of ${new Date(at).toISOString()}`,
    `${clean ? 'No drift' : 'DRIFT'} beyond ${percent(tolerance.relative)} and $${dollarsOf(tolerance.cost)}.`,
  ]
  for (const source of sources) lines.push('', ...sourceLines(source))
  return `${lines.join('\n')}\n`
}

function sourceLines({
  name,
  providers,
  failed,
  notes,
  compared,
  drifts = [],
  explained = [],
  apart = [],
  ledgerCost,
  statementCost,
}: SourceReport): string[] {
  const head = `${name} (${providers.join(', ')})`
  if (failed !== undefined) return [`${head}: could not be compared: ${failed}`]
  return [
    `${head}: ${compared} model-days, ledger $${moneyOf(ledgerCost)}, statement $${moneyOf(statementCost)}, ${drifts.length} with drift`,
    ...drifts.flatMap(driftLines),
    ...explained.map((drift) => `  explained: ${drift.day}  ${drift.model}: ${drift.causes.map(meaningOf).join('; ')}`),
    ...apart.map(({ day, item, cost }) => `  billed apart: ${day}  ${item}: $${dollarsOf(cost)}`),
    ...notes.map((note) => `  note: ${note}`),
  ]
}

function driftLines(drift: Drift): string[] {
  const { day, model, names, kind, ledger, statement, causes } = drift
  const shown = differences(drift).filter(({ absolute }) => absolute !== 0 && absolute !== 0n)
  return [
    `  ${day}  ${model}${names.length > 0 ? ` (${names.join(', ')})` : ''}: ${KINDS[kind]}`,
    ...shown.map(({ name, absolute, relative }) => {
      const write = (value: number | bigint | undefined): string =>
        name === 'cost' ? `$${dollarsOf(BigInt(value ?? 0))}` : Number(value ?? 0).toLocaleString('en-US')
      const [own, told] = [ledger, statement].map((side) => write(side[name as keyof Amounts]))
      const share = relative === undefined ? 'new' : `${relative > 0 ? '+' : ''}${percent(relative)}`
      return `    ${name}: ledger ${own}, statement ${told}, difference ${write(absolute)} (${share})`
    }),
    ...causes.map((cause) => `    likely: ${meaningOf(cause)}`),
  ]
}

const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`
