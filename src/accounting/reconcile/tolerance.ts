/** How far two counts of the same may lie apart before anybody need look. */
import type { Nanos } from '../../core/money.ts'

export interface Tolerance {
  /** Share of the larger one. Default 0.001. */
  readonly relative: number
  /** Money: nano-dollars that never matter. Default a tenth of a cent. */
  readonly cost: Nanos
  /** Tokens that never matter. Default 0. */
  readonly tokens: number
}

export const usualTolerance: Tolerance = { relative: 0.001, cost: 1_000_000n, tokens: 0 }

const PPB = 1_000_000_000n

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)
const shareOf = (value: bigint, share: number): bigint => (value * BigInt(Math.round(share * 1e9))) / PPB

export const sameCost = (one: Nanos, other: Nanos, { relative, cost }: Tolerance, rounding: Nanos = 0n): boolean => {
  const off = magnitude(one - other) - rounding
  return off <= cost || off <= shareOf(magnitude(one), relative) || off <= shareOf(magnitude(other), relative)
}

export const sameTokens = (one: number, other: number, { relative, tokens }: Tolerance): boolean =>
  Math.abs(one - other) <= Math.max(tokens, relative * Math.max(Math.abs(one), Math.abs(other)))

/** What the statement has more than the ledger, as a share of what the ledger has; undefined where that has nothing. */
export const relativeOf = (difference: number | bigint, ledger: number | bigint): number | undefined =>
  Number(ledger) === 0 ? undefined : Number(difference) / Number(ledger)
