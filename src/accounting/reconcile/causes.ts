/** Why ledger and statement may differ: what the numbers themselves point to, most telling first. */
import type { DriftKind, Pair } from './compare.ts'
import { sameTokens, type Tolerance } from './tolerance.ts'

export type CauseId =
  | 'unpriced'
  | 'estimated'
  | 'missing-calls'
  | 'lost-entries'
  | 'not-billed'
  | 'counted-otherwise'
  | 'cache-counts'
  | 'price'
  | 'day-boundary'
  | 'billed-apart'

export interface Cause {
  readonly id: CauseId
  /** How many calls it concerns, where that is known. */
  readonly calls?: number
}

/** `*` stands for the number of calls. */
export const meanings: Readonly<Record<CauseId, readonly [known: string, unknown: string]>> = {
  unpriced: ['* calls have no price in the ledger', 'calls have no price in the ledger'],
  estimated: [
    '* calls are estimates in the ledger: lost, broken off, or without a count by the provider',
    'calls are estimates in the ledger',
  ],
  'missing-calls': [
    'the provider billed * calls more than the ledger has: its key is used past the gateway, or entries are lost',
    'the provider billed calls that the ledger does not have: its key is used past the gateway, or entries are lost',
  ],
  'lost-entries': ['* entries may be lost', 'entries of the ledger may be lost, or calls went past the gateway'],
  'not-billed': [
    'the provider did not bill * calls',
    'the provider did not bill calls that the ledger has: failed or broken-off ones, or they are billed elsewhere',
  ],
  'counted-otherwise': ['the calls are the same, their tokens are not', 'the calls are the same, their tokens are not'],
  'cache-counts': ['other tokens come from a cache than the ledger says', 'other tokens come from a cache than the ledger says'],
  price: [
    'the same tokens, another price: the listed price is not the one that is charged',
    'the same tokens, another price: the listed price is not the one that is charged',
  ],
  'day-boundary': [
    'calls around midnight are counted on the neighbouring day',
    'calls around midnight are counted on the neighbouring day',
  ],
  'billed-apart': ['searches and the like are billed apart from the model', 'searches and the like are billed apart from the model'],
}

export const meaningOf = ({ id, calls }: Cause): string =>
  calls === undefined ? meanings[id][1] : meanings[id][0].replace('*', calls.toLocaleString('en-US')).replace(/^1 calls/, '1 call')

export function causesOf(
  { ledger = {}, statement = {}, estimated, unpriced }: Pair,
  kind: DriftKind,
  tolerance: Tolerance,
): readonly Cause[] {
  const causes: Cause[] = []
  const costly = (statement.cost ?? 0n) > (ledger.cost ?? 0n)
  if (unpriced > 0 && costly) causes.push({ id: 'unpriced', calls: unpriced })
  if (estimated > 0) causes.push({ id: 'estimated', calls: estimated })
  if (kind === 'not-in-ledger')
    return [...causes, { id: 'missing-calls', ...(statement.requests !== undefined && { calls: statement.requests }) }]
  if (kind === 'not-in-statement')
    return [...causes, { id: 'not-billed', ...(ledger.requests !== undefined && { calls: ledger.requests }) }]
  if (kind === 'tokens' || kind === 'both') causes.push(...ofTokens(ledger, statement))
  if (kind === 'price' || kind === 'both' || kind === 'cost') {
    for (const name of ['cacheReadTokens', 'cacheWriteTokens'] as const)
      if (
        statement[name] !== undefined &&
        !sameTokens(ledger[name] ?? 0, statement[name], tolerance) &&
        !causes.some(({ id }) => id === 'cache-counts')
      )
        causes.push({ id: 'cache-counts' })
    if (!causes.some(({ id }) => id === 'unpriced')) causes.push({ id: 'price' })
  }
  return causes
}

function ofTokens(ledger: Pair['ledger'] & object, statement: Pair['statement'] & object): readonly Cause[] {
  const more = (statement.inputTokens ?? 0) + (statement.outputTokens ?? 0) > (ledger.inputTokens ?? 0) + (ledger.outputTokens ?? 0)
  const calls = statement.requests === undefined || ledger.requests === undefined ? undefined : statement.requests - ledger.requests
  // The ledger has refused and failed calls too, so only a surplus of the provider's says something for certain.
  if (more)
    return calls === undefined ? [{ id: 'lost-entries' }] : calls > 0 ? [{ id: 'missing-calls', calls }] : [{ id: 'counted-otherwise' }]
  return calls === 0 ? [{ id: 'counted-otherwise' }] : [{ id: 'not-billed', ...(calls !== undefined && calls < 0 && { calls: -calls }) }]
}
