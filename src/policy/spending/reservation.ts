/** One call at the desk: what is held for it, and whether it is let in. Its end is `settlement.ts`. */
import type { CounterState, Hold, Reserved } from '../../core/counters.ts'
import { GatewayError } from '../../core/error.ts'
import type { Opening } from '../../core/ledger.ts'
import type { Admitted, FallTo, SpendingCall } from '../../core/policy.ts'
import { type Attribution, attributionOf } from './attribution.ts'
import { type Breach, budgetRefusal, impossible, rateRefusal, waitMs, why } from './breach.ts'
import { Costs } from './costs.ts'
import type { Desk } from './desk.ts'
import { limitHeaders } from './headers.ts'
import { type Applied, rulesFor } from './matcher.ts'
import type { Meter } from './meter.ts'
import { settleCall } from './settlement.ts'
import type { Terms } from './tenants.ts'

const USUAL_LIMIT_MS = 600_000
/** For what comes after the deadline: the last bytes, the settlement. */
const LEASE_MARGIN_MS = 60_000

export type Verdict = Admitted | FallTo
/** No room under a budget that lets calls wait. */
interface Wait {
  readonly wait: Breach
}

/** One call and its holds. */
export class Reservation implements Admitted {
  readonly #desk: Desk
  readonly #call: SpendingCall
  readonly #who: Attribution
  readonly #terms: Terms
  readonly #costs: Costs
  #now: number
  #applied: readonly Applied[] = []
  /** Those that hold for where the call may still go, and what is held for each. */
  #active: Applied[] = []
  #holds: Hold[] = []
  #states: readonly CounterState[] = []
  #without: Map<number, string> | undefined
  /** What was left under budgets that could not hold all of it. */
  #left: Map<Meter, number> | undefined
  #settled = false

  constructor(desk: Desk, call: SpendingCall) {
    this.#desk = desk
    this.#call = call
    this.#now = desk.clock()
    this.#who = attributionOf(call)
    this.#terms = desk.book.terms(this.#who.organisation)
    this.#costs = new Costs(desk.policy, this.#terms.markup, call)
  }

  get headers() {
    return limitHeaders(this.#call.exchange.dialect, this.#active, this.#states, this.#now)
  }

  get without(): ReadonlyMap<number, string> | undefined {
    return this.#without
  }

  admit(): Verdict | Promise<Verdict> {
    this.#collect()
    const { line } = this.#desk
    const before = line.size === 0 ? undefined : this.#applied.find(({ meter, slot }) => waits(meter) && line.busy(slot.counter))
    if (before) return this.#wait({ applied: before, state: { spent: before.slot.seen, held: 0 }, amount: 0, retryAfterMs: undefined })
    const verdict = this.#attempt()
    if (verdict instanceof Promise) return verdict.then((one) => this.#orWait(one))
    return this.#orWait(verdict)
  }

  #orWait(verdict: Verdict | Wait): Verdict | Promise<Verdict> {
    return 'wait' in verdict ? this.#wait(verdict.wait) : verdict
  }

  #collect(): void {
    const { book } = this.#desk
    const { exchange, principal } = this.#call
    const { requestedModel, route } = exchange
    // Once it has fallen to another tier, a call is no longer what it was asked as.
    const asked = [exchange.fell === undefined ? requestedModel : undefined, route].filter((name) => name !== undefined)
    const everybodys = book.matcher()
    const own = principal.limits.length + principal.budgets.length === 0 ? undefined : book.own(principal)
    const credit = book.credit(this.#who.organisation)
    if (everybodys.size === 0 && !own && !credit) return
    this.#applied = rulesFor({ who: this.#who, asked, route, candidates: this.#costs.candidates, now: this.#now }, everybodys, own, credit)
  }

  /** Holds what the rules say for where the call may still go. */
  #attempt(): Verdict | Wait | Promise<Verdict | Wait> {
    this.#leaveOutUnpriced()
    this.#hold()
    if (this.#holds.length === 0) return this.#admitted([])
    const { counters } = this.#desk
    const { exchange, limitMs = USUAL_LIMIT_MS } = this.#call
    const reserved = counters.reserve(exchange.id, this.#holds, limitMs + LEASE_MARGIN_MS)
    if (reserved instanceof Promise) return reserved.then((one) => this.#decided(one))
    return this.#decided(reserved)
  }

  #hold(): void {
    const fallen = this.#desk.fallen.get(this.#call.exchange)
    const active: Applied[] = []
    const holds: Hold[] = []
    for (const applied of this.#applied) {
      const { meter, slot } = applied
      const places = this.#placesOf(applied)
      if (places.length === 0) continue
      active.push(applied)
      holds.push({
        counter: slot.counter,
        kind: meter.gauge ? 'gauge' : 'spend',
        amount: this.#amountOf(meter, places),
        limit: fallen?.has(meter.id) ? undefined : meter.limit,
        ...(slot.window && { window: slot.window }),
        ...(slot.spentBefore && { spentBefore: slot.spentBefore, emptyUntil: slot.emptyUntil }),
      })
    }
    this.#active = active
    this.#holds = holds
  }

  /** Where the call may still go, as far as the rule holds. */
  #placesOf({ only }: Applied): readonly number[] {
    const without = this.#without
    const all = only ?? firstNumbers(this.#costs.candidates.length)
    return without ? all.filter((index) => !without.has(index)) : all
  }

  #amountOf(meter: Meter, places: readonly number[]): number {
    const { measure, limit } = meter
    switch (measure) {
      case 'requests':
      case 'concurrent':
        return 1
      case 'input-tokens':
        return this.#costs.input
      case 'output-tokens':
        return this.#unasked(this.#mostOutput(places), 0, limit)
      case 'tokens':
        return this.#unasked(this.#mostOutput(places), this.#costs.input, limit)
      case 'charge': {
        let most = 0
        for (const index of places) most = Math.max(most, this.#costs.charge(index) ?? 0)
        return Math.min(most, this.#left?.get(meter) ?? most)
      }
    }
  }

  /** A caller who sets no maximum is not turned away for an output that nobody asked for: it takes what there is at most. */
  #unasked(output: number, input: number, limit: number): number {
    const sum = input + output
    return this.#call.maxOutputTokens === undefined && sum > limit && input <= limit ? limit : sum
  }

  #mostOutput(places: readonly number[]): number {
    let most = 0
    for (const index of places) most = Math.max(most, this.#costs.output(index))
    return most
  }

  /** Where money is limited, nothing goes where nobody knows the price; unless the operator says so. */
  #leaveOutUnpriced(): void {
    if (this.#desk.policy.unknown !== 'refuse') return
    for (const applied of this.#applied) {
      if (applied.meter.measure !== 'charge') continue
      for (const index of this.#placesOf(applied)) if (this.#costs.charge(index) === undefined) this.#leaveOut(index, UNPRICED)
    }
    if (!this.#without) return
    const { candidates } = this.#costs
    if (this.#without.size < candidates.length) return
    const names = [...new Set(candidates.map(({ provider, model }) => `${provider}/${model}`))].slice(0, 5).join(', ')
    throw new GatewayError(
      'no-eligible-target',
      `A budget holds for this call, and nobody knows what it costs at ${names}: the operator can set a \`price\` there, or \`prices.unknown\`.`,
      { shouldRetry: false },
    )
  }

  #leaveOut(index: number, reason: string): void {
    this.#without ??= new Map()
    this.#without.set(index, reason)
  }

  #decided(reserved: Reserved): Verdict | Wait | Promise<Verdict | Wait> {
    if (reserved.ok) return this.#admitted(reserved.states)
    const applied = this.#active[reserved.index]
    const hold = this.#holds[reserved.index]
    if (!applied || !hold) throw new Error(`counters refuse a hold that is none: ${reserved.index}`)
    const breach: Breach = { applied, state: reserved.state, amount: hold.amount, retryAfterMs: reserved.retryAfterMs }
    if (this.#goesElsewhere(applied) || this.#takesWhatIsLeft(breach)) return this.#attempt()
    return this.#breached(breach)
  }

  /**
   * Nobody asked for an answer as long as what is held for one without a maximum: such a call may go while anything is left, and holds that.
   * Only one at a time can: it leaves nothing for others.
   */
  #takesWhatIsLeft({ applied, state: { spent, held }, amount }: Breach): boolean {
    const { meter } = applied
    const left = meter.limit - spent - held
    if (meter.measure !== 'charge' || this.#call.maxOutputTokens !== undefined || left <= 0 || left >= amount) return false
    for (const index of this.#placesOf(applied)) if (!((this.#costs.leastCharge(index) ?? amount) <= left)) return false
    this.#left ??= new Map()
    // Somebody else may have taken it meanwhile; then there is less again, or nothing.
    this.#left.set(meter, left)
    return true
  }

  /** A limit of one provider or model is reached: what is left of the others is tried. */
  #goesElsewhere(applied: Applied): boolean {
    const places = this.#placesOf(applied)
    const left = this.#costs.candidates.length - (this.#without?.size ?? 0)
    if (applied.only === undefined || places.length === left) return false
    const { meter } = applied
    const name = meter.name === undefined ? '' : ` "${meter.name}"`
    for (const index of places) this.#leaveOut(index, `${meter.kind === 'rate' ? 'limit' : 'budget'}${name} reached`)
    return true
  }

  #breached(breach: Breach): Verdict | Wait {
    const { applied, state } = breach
    const { meter, slot } = applied
    const { exchange } = this.#call
    if (meter.kind === 'rate') {
      const headers = limitHeaders(exchange.dialect, [applied], [state], this.#now)
      if (headers) exchange.limitHeaders = headers
      this.#count(meter, 'refused')
      throw rateRefusal(breach, this.#now)
    }
    slot.seen = state.spent
    this.#desk.warnings.spent(meter, slot, this.#now)
    // One call that is dearer than all of it does not use it up.
    if (!impossible(breach)) this.#desk.warnings.breached(meter, slot, this.#now)
    const refusal = budgetRefusal(breach, this.#who, this.#now)
    if (meter.budget?.onBreach === 'next-tier') {
      const fallen = this.#desk.fallen.get(exchange) ?? new Set()
      this.#desk.fallen.set(exchange, fallen.add(meter.id))
      this.#count(meter, 'next-tier')
      return { fallTo: 'next-tier', why: why(breach, this.#who, this.#now), refusal }
    }
    if (waits(meter) && this.#mayFit(breach)) return { wait: breach }
    this.#count(meter, 'refused')
    throw refusal
  }

  #count({ kind, measure, by }: Meter, outcome: 'refused' | 'next-tier'): void {
    this.#desk.refusals.add(kind === 'rate' ? 'limit' : kind, measure, by, outcome)
  }

  /** Calls that run may come to less than they hold, or the window may end in time. */
  #mayFit(breach: Breach): boolean {
    if (impossible(breach)) return false
    return breach.state.held > 0 || (waitMs(breach, this.#now) ?? Number.POSITIVE_INFINITY) <= this.#longestWait()
  }

  #longestWait(): number {
    return Math.min(this.#desk.policy.queueMs, this.#call.limitMs ?? USUAL_LIMIT_MS)
  }

  async #wait(first: Breach): Promise<Verdict> {
    const { line, clock } = this.#desk
    let last = first
    const verdict = line.full()
      ? undefined
      : await line.wait(first.applied.slot.counter, this.#longestWait(), this.#call.exchange.cancellation, async () => {
          // The window may be another one by now.
          this.#now = clock()
          this.#without = undefined
          this.#left = undefined
          this.#collect()
          const one = await this.#attempt()
          if (!('wait' in one)) return one
          last = one.wait
          return undefined
        })
    if (verdict) return verdict
    this.#count(last.applied.meter, 'refused')
    throw budgetRefusal(last, this.#who, this.#now)
  }

  #admitted(states: readonly CounterState[]): Admitted {
    this.#states = states
    for (let index = 0; index < states.length; index++) {
      const applied = this.#active[index]
      const state = states[index]
      if (!applied || !state) continue
      applied.slot.seen = state.spent
      if (applied.meter.warnAt.length > 0) this.#desk.warnings.spent(applied.meter, applied.slot, this.#now)
    }
    this.#desk.ledger.open(this.#opening())
    return this
  }

  #opening(): Opening {
    const { exchange } = this.#call
    const { key, alias, user, organisation, team, project, tags, tier } = this.#who
    const forgets = this.#desk.ledger.forgets === true
    const first = forgets ? -1 : this.#costs.candidates.findIndex((_, index) => !this.#without?.has(index))
    const candidate = first < 0 ? undefined : this.#costs.candidates[first]
    return {
      id: exchange.id,
      at: exchange.at,
      key,
      alias,
      user,
      organisation,
      team,
      project,
      tags: tags.length === 0 ? undefined : tags,
      tier: tier ?? exchange.tier,
      dialect: exchange.dialect,
      requestedModel: exchange.requestedModel ?? '',
      route: exchange.route,
      streamed: exchange.streamed,
      provider: candidate?.provider,
      model: candidate?.model,
      estimate: candidate && this.#costs.cost(first),
      markup: this.#terms.markup === 1_000 ? undefined : this.#terms.markup,
    }
  }

  settle(): void {
    if (this.#settled) return
    this.#settled = true
    settleCall({
      desk: this.#desk,
      call: this.#call,
      costs: this.#costs,
      markup: this.#terms.markup,
      active: this.#active,
      holds: this.#holds,
      without: this.#without,
      now: this.#now,
    })
  }
}

const numbers: (readonly number[])[] = []
/** 0, 1, 2 …: the same list each time. */
const firstNumbers = (count: number): readonly number[] => (numbers[count] ??= Array.from({ length: count }, (_, index) => index))

const UNPRICED = 'no price is known, and a budget holds'
const waits = ({ budget }: Meter): boolean => budget?.onBreach === 'queue'
