/** Tells once for each window and share that a budget is used so far, in the whole fleet: a counter remembers that it was told. */
import type { Counters, Hold } from '../../core/counters.ts'
import type { Nanos } from '../../core/money.ts'
import type { Dimension } from '../../core/rules.ts'
import type { Meter, Slot } from './meter.ts'

export interface SpendingEvent {
  /** A share of the limit is spent; a call was refused, or fell to another tier, for the first time in this window. */
  readonly type: 'budget-warning' | 'budget-exceeded'
  readonly kind: 'budget' | 'credit'
  /** The rule's id. */
  readonly rule: string
  readonly name: string | undefined
  readonly by: Dimension
  /** Which key, user, team …; empty where it is everybody's. */
  readonly value: string
  readonly organisation: string | undefined
  /** Of a warning. */
  readonly share: number | undefined
  readonly limit: Nanos
  readonly spent: Nanos
  /** Milliseconds since 1970. */
  readonly at: number
  /** When the window ends; undefined where it has no end of its own. */
  readonly resetsAt: number | undefined
}

export interface Warnings {
  /** Something more was spent there. */
  spent(meter: Meter, slot: Slot, now: number): void
  breached(meter: Meter, slot: Slot, now: number): void
}

const LEASE_MS = 60_000

export function createWarnings(counters: Counters, warn: (event: SpendingEvent) => void): Warnings {
  function tell(meter: Meter, slot: Slot, share: number | undefined, now: number): void {
    const { value, endsAt, seen } = slot
    warn({
      type: share === undefined ? 'budget-exceeded' : 'budget-warning',
      kind: meter.kind === 'credit' ? 'credit' : 'budget',
      rule: meter.id,
      name: meter.name,
      by: meter.by,
      value,
      organisation: meter.organisation,
      share,
      limit: BigInt(meter.limit),
      spent: BigInt(Math.round(seen)),
      at: now,
      resetsAt: Number.isFinite(endsAt) ? endsAt : undefined,
    })
  }

  /** Whoever takes the one place of this counter tells. Where counters do not answer, nobody does. */
  function once(meter: Meter, slot: Slot, share: number | undefined, now: number): void {
    const hold: Hold = {
      counter: `w|${share ?? 'x'}|${meter.limit.toString(36)}|${slot.counter}`.slice(0, 200),
      kind: 'spend',
      amount: 1,
      limit: 1,
      ...(slot.window && { window: slot.window }),
    }
    const id = `${hold.counter}|${Math.random().toString(36).slice(2)}`
    const told = (ok: boolean): void => {
      if (!ok) return
      void counters.settle(id, [hold], [1])
      tell(meter, slot, share, now)
    }
    const reserved = counters.reserve(id, [hold], LEASE_MS)
    if (reserved instanceof Promise)
      reserved.then(
        ({ ok }) => told(ok),
        () => {},
      )
    else told(reserved.ok)
  }

  return {
    spent(meter, slot, now) {
      for (
        let share = meter.warnAt[slot.warned];
        share !== undefined && slot.seen >= share * meter.limit;
        share = meter.warnAt[slot.warned]
      ) {
        slot.warned++
        once(meter, slot, share, now)
      }
    },
    breached(meter, slot, now) {
      if (slot.breached) return
      slot.breached = true
      once(meter, slot, undefined, now)
    },
  }
}
