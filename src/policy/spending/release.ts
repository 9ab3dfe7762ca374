/** Calls whose process ended before they did: what they held is given back, and their estimate counts instead. */
import type { Hold } from '../../core/counters.ts'
import type { LedgerEntry } from '../../core/ledger.ts'
import { markedUp, type Nanos } from '../../core/money.ts'
import { anonymous, type Principal } from '../../core/principal.ts'
import type { RecordStore } from '../../core/records.ts'
import { principalOf } from '../access/principal-of.ts'
import type { Attribution } from './attribution.ts'
import type { Desk } from './desk.ts'
import { rulesFor } from './matcher.ts'
import { type Meter, wholeOf } from './meter.ts'

/** Most holds that a call may have had. */
const ZEROS = new Array<number>(100).fill(0)

/** Rejects when the store does not tell the rules of the calls' keys. Nothing counts twice when it is told again. */
export async function releaseAll(
  desk: Pick<Desk, 'book' | 'counters'>,
  lost: readonly LedgerEntry[],
  records: RecordStore | undefined,
): Promise<void> {
  await desk.book.ready
  const principals = new Map<string, Principal>()
  for (const { key } of lost)
    if (records && !principals.has(key)) {
      const record = await records.get('key', key)
      principals.set(key, record ? principalOf(record) : anonymous)
    }
  for (const entry of lost) releaseOne(desk, entry, principals.get(entry.key) ?? anonymous)
}

/**
 * Which holds it had is found anew, by what was written of it and the rules of today; so they are not settled, but given back as they are,
 * and the estimate is added under another id.
 */
function releaseOne({ book, counters }: Pick<Desk, 'book' | 'counters'>, entry: LedgerEntry, principal: Principal): void {
  const {
    id,
    at,
    key,
    alias,
    user,
    organisation,
    team,
    project,
    tags = [],
    tier,
    requestedModel,
    route,
    provider,
    model,
    settlement,
  } = entry
  const who: Attribution = { key, alias, user, organisation, team, project, tags, tier, ipClass: undefined }
  const candidates = provider === undefined || model === undefined ? [] : [{ provider, model, worstCost: () => undefined }]
  const asked = route === undefined ? [requestedModel] : [requestedModel, route]
  const applied = rulesFor(
    { who, asked, route, candidates, now: at },
    book.matcher(),
    principal.limits.length + principal.budgets.length === 0 ? undefined : book.own(principal),
    book.credit(organisation),
  ).filter(({ meter }) => !meter.gauge)
  const charge = settlement?.charge ?? (entry.estimate === undefined ? undefined : markedUp(entry.estimate, entry.markup))
  const holds = applied.map(
    ({ slot }): Hold => ({
      counter: slot.counter,
      kind: 'spend',
      amount: 0,
      limit: undefined,
      ...(slot.window && { window: slot.window }),
      ...(slot.spentBefore && { spentBefore: slot.spentBefore }),
    }),
  )
  void counters.settle(id, [], ZEROS)
  if (holds.length > 0)
    void counters.settle(
      `${id}.lost`,
      holds,
      applied.map(({ meter }) => lostAmount(meter, charge)),
    )
}

/** Of its tokens nobody knows anything. */
function lostAmount({ measure }: Meter, charge: Nanos | undefined): number {
  if (measure === 'requests') return 1
  return measure === 'charge' && charge !== undefined ? wholeOf(charge) : 0
}
