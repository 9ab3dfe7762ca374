/** The end of a call: what its rules really count of it, and what the ledger keeps. */
import type { Hold } from '../../core/counters.ts'
import { sentAttempts } from '../../core/exchange.ts'
import { markedUp, type Nanos } from '../../core/money.ts'
import type { SpendingCall } from '../../core/policy.ts'
import type { Costs } from './costs.ts'
import type { Desk } from './desk.ts'
import { type Ended, type Used, usedBy } from './ending.ts'
import type { Applied } from './matcher.ts'
import { wholeOf } from './meter.ts'

/** A call that was let in, and what is held for it. */
export interface Held {
  readonly desk: Desk
  readonly call: SpendingCall
  readonly costs: Costs
  /** Parts in a thousand over cost. */
  readonly markup: number
  /** The rules that hold, and what each holds. */
  readonly active: readonly Applied[]
  readonly holds: readonly Hold[]
  /** Places that limits took out of it, each with the reason. */
  readonly without: ReadonlyMap<number, string> | undefined
  /** When it was let in. */
  readonly now: number
}

export function settleCall(held: Held): void {
  const { desk, call, costs, markup } = held
  const { exchange } = call
  const ended = (exchange.settled as Ended | undefined) ?? { status: exchange.status }
  const used = usedBy(exchange, ended, costs, desk.policy, call)
  const charge = used.cost === undefined ? undefined : markedUp(used.cost, markup)
  settleCounters(held, ended, used, charge)
  desk.ledger.settle({
    id: exchange.id,
    endedAt: desk.clock(),
    state: 'settled',
    provider: ended.provider,
    model: ended.model,
    region: exchange.candidate?.region,
    status: ended.status,
    error: ended.error?.code,
    usage: used.usage,
    cost: used.cost,
    charge,
    estimated: used.estimated,
    attempts: sentAttempts(exchange),
    firstMs: thousandths(ended.latency?.first),
    totalMs: thousandths(ended.latency?.total) ?? 0,
    record: recordOf(held),
  })
}

/** Microseconds are fine enough, and sixteen digits are slow to write. */
const thousandths = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000)

/** What accounting tells of the call, and the places that limits took out of it. */
function recordOf({ desk, call, costs, without }: Held): object | undefined {
  const { settled } = call.exchange
  const record = settled && desk.recordOf?.(settled)
  if (!without) return record
  const leftOut = [...without].map(([index, reason]) => {
    const { provider, model } = costs.candidates[index] ?? { provider: '', model: '' }
    return { place: `${provider}/${model}`, reason }
  })
  return { ...record, leftOut }
}

function settleCounters(held: Held, ended: Ended, used: Used, charge: Nanos | undefined): void {
  const { desk, call, active, holds, now } = held
  if (holds.length === 0) return
  const { counters, warnings, line } = desk
  const actual = active.map((applied) => actualOf(held, applied, ended, used, charge))
  const told = counters.settle(call.exchange.id, holds, actual)
  for (let index = 0; index < actual.length; index++) {
    const applied = active[index]
    if (!applied) continue
    applied.slot.seen += actual[index] ?? 0
    if (applied.meter.warnAt.length > 0) warnings.spent(applied.meter, applied.slot, now)
  }
  if (line.size === 0) return
  const wake = (): void => {
    for (const { slot } of active) line.moved(slot.counter)
  }
  if (told instanceof Promise) void told.then(wake)
  else wake()
}

function actualOf(held: Held, { meter, only }: Applied, { provider, model }: Ended, used: Used, charge: Nanos | undefined): number {
  if (only && !only.some((index) => isPlace(held, index, provider, model))) {
    // It may have been tried there in vain.
    const tried =
      meter.measure === 'requests' &&
      held.call.exchange.attempts.some((one) => one.sent && only.some((index) => isPlace(held, index, one.provider, one.model)))
    return tried ? 1 : 0
  }
  switch (meter.measure) {
    case 'requests':
    case 'concurrent':
      return 1
    case 'input-tokens':
      return used.input
    case 'output-tokens':
      return used.output
    case 'tokens':
      return used.input + used.output
    case 'charge':
      return wholeOf(charge ?? 0n)
  }
}

function isPlace({ costs }: Held, index: number, provider: string | undefined, model: string | undefined): boolean {
  const candidate = costs.candidates[index]
  return candidate?.provider === provider && candidate?.model === model
}
