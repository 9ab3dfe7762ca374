/** Calls whose process ended before they did. */
import type { Hold } from '../../core/counters.ts'
import type { LedgerEntry } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import { anonymous, type Principal } from '../../core/principal.ts'
import type { Attribution } from './attribution.ts'
import { rulesFor } from './matcher.ts'
import { type Meter, wholeOf } from './meter.ts'
import type { Desk } from './reservation.ts'
import { chargeOf } from './tenants.ts'

/** The holds of a call that was opened by a process which is no more, found anew by what was written of it. */
export function releaseOne(desk: Pick<Desk, 'book' | 'counters'>, entry: LedgerEntry, principal: Principal = anonymous): void {
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
    desk.book.matcher(),
    principal.limits.length + principal.budgets.length === 0 ? undefined : desk.book.own(principal),
    desk.book.credit(organisation),
  )
  const charge = settlement?.charge ?? (entry.estimate === undefined ? undefined : chargeOf(entry.estimate, entry.markup ?? 1_000))
  const holds = applied.map(
    ({ meter, slot }): Hold => ({
      counter: slot.counter,
      kind: meter.gauge ? 'gauge' : 'spend',
      amount: 0,
      limit: undefined,
      ...(slot.window && { window: slot.window }),
      ...(slot.spentBefore && { spentBefore: slot.spentBefore }),
    }),
  )
  const actual = applied.map(({ meter }) => lostAmount(meter, charge))
  if (holds.length > 0) void desk.counters.settle(id, holds, actual)
}

function lostAmount({ measure }: Meter, charge: Nanos | undefined): number {
  switch (measure) {
    case 'requests':
      return 1
    case 'charge':
      return charge === undefined ? 0 : wholeOf(charge)
    default:
      // Nobody knows: what was held counts.
      return Number.NaN
  }
}
