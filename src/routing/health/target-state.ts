/** All that is known of one provider × wire × model: breaker, keys, latencies, load. */
import type { GatewayError } from '../../core/error.ts'
import type { Standing, TargetHealth, Visit } from '../../core/health.ts'
import type { Headers } from '../../core/http.ts'
import { Breaker, type BreakerOptions, type BreakerState, type Pass } from './breaker.ts'
import { FaultEwma, Mean, PeakEwma } from './ewma.ts'
import { KeyState } from './key-state.ts'
import { Quantiles } from './quantiles.ts'
import { bucketOf, nearestFirst, SIZES } from './size-buckets.ts'
import { verdictOf } from './verdict.ts'

/** What all targets of a registry share. */
export interface Surroundings {
  readonly now: () => number
  readonly random: () => number
  readonly breaker: BreakerOptions
  /** Told of every change of a breaker's state. */
  changed(target: TargetState, from: BreakerState, to: BreakerState): void
  /** The provider's keys that it refused for every model, by place. */
  retiredKeys(provider: string): Set<number>
}

export class TargetState implements TargetHealth {
  readonly provider: string
  readonly wire: string
  readonly model: string
  inFlight = 0
  lastFailedAt = 0
  lastUsedAt = 0
  /** When it last answered well. */
  lastGoodAt = 0
  readonly #surroundings: Surroundings
  /** False: only load and latencies are kept. */
  readonly #faults: boolean
  readonly #breaker: Breaker
  readonly #keys: KeyState[] = []
  readonly #errors = new FaultEwma()
  /** By size of input; streamed ones (first token) behind plain ones (whole answer). */
  readonly #latency: (PeakEwma | undefined)[] = []
  readonly #quantiles: (Quantiles | undefined)[] = []
  readonly #output = new Mean()
  readonly #cached = new Mean()
  readonly #speed = new Mean()
  readonly #retired: Set<number>
  #told: BreakerState = 'closed'
  /** Where the provider said when to come back. */
  #restUntil = 0
  #turn = 0

  constructor(id: { provider: string; wire: string; model: string; faults?: boolean }, keyCount: number, surroundings: Surroundings) {
    this.provider = id.provider
    this.wire = id.wire
    this.model = id.model
    this.#faults = id.faults ?? true
    this.#surroundings = surroundings
    this.#breaker = new Breaker({ ...surroundings.breaker, random: surroundings.random })
    this.#retired = surroundings.retiredKeys(id.provider)
    this.keyCount = keyCount
  }

  get keyCount(): number {
    return this.#keys.length
  }
  /** Keys keep what is known of their place. */
  set keyCount(count: number) {
    while (this.#keys.length < count) this.#keys.push(new KeyState(this.#surroundings.random))
    this.#keys.length = count
  }
  get meanOutput(): number | undefined {
    return this.#output.value
  }
  get meanCachedShare(): number | undefined {
    return this.#cached.value
  }
  get tokensPerSecond(): number | undefined {
    return this.#speed.value
  }

  breakerState(now: number): BreakerState {
    return this.#breaker.state(now)
  }

  standing(now: number): Standing {
    if (now < this.#restUntil || !this.#anyKey(now)) return 'resting'
    switch (this.#breaker.state(now)) {
      case 'closed':
        return 'ready'
      case 'half-open':
        return this.#breaker.admits(now) ? 'probe' : 'resting'
      default:
        return this.#breaker.cause === 'rate' ? 'outlier' : 'resting'
    }
  }

  share(now: number): number {
    return this.#breaker.share(now)
  }

  restMs(now: number): number {
    return Math.max(this.#breaker.restMs(now), this.#restUntil - now, this.#keysRestMs(now), 0)
  }

  limitedMs(now: number): number | undefined {
    let least: number | undefined
    for (let place = 0; place < this.#keys.length; place++) {
      const key = this.#keys[place]
      if (!key || key.retired || this.#retired.has(place)) continue
      if (!key.limited(now)) return undefined
      const rest = key.restMs(now)
      if (least === undefined || rest < least) least = rest
    }
    return least
  }

  failing(now: number): boolean {
    if (now < this.#restUntil) return true
    const state = this.#breaker.state(now)
    return state === 'half-open' || (state === 'open' && this.#breaker.cause === 'consecutive')
  }

  errors(now: number): number {
    return this.#errors.value(now)
  }

  headroom(now: number): number {
    let most = 0
    for (let place = 0; place < this.#keys.length; place++) {
      const key = this.#keys[place]
      if (key && !this.#retired.has(place) && key.usable(now)) most = Math.max(most, key.headroom(now))
    }
    return most
  }

  latencyMs(inputTokens: number, streamed: boolean, now: number): number | undefined {
    if (this.#latency.length === 0) return undefined
    const bucket = bucketOf(inputTokens)
    const own = streamed ? SIZES : 0
    return this.#latency[bucket + own]?.value(now) ?? this.#nearest(bucket, own, now) ?? this.#nearest(bucket, SIZES - own, now)
  }

  quantileMs(q: number, inputTokens: number, streamed: boolean, now: number): number | undefined {
    const index = bucketOf(inputTokens) + (streamed ? SIZES : 0)
    return this.#quantiles[index]?.value(q, now)
  }

  keyFor(tried: readonly number[], forced: boolean, now: number): number | undefined {
    const count = this.#keys.length
    if (count === 1) return tried.length > 0 || !(forced || this.#usable(0, now)) ? undefined : 0
    const from = this.#turn++
    let best: number | undefined
    let bestScore = Number.POSITIVE_INFINITY
    for (let step = 0; step < count; step++) {
      const place = (from + step) % count
      const key = this.#keys[place]
      if (!key || tried.includes(place)) continue
      const usable = this.#usable(place, now)
      if (!usable && !forced) continue
      // Retired ones last, resting ones by how soon they are free, usable ones by load and headroom.
      const score = usable ? (key.inFlight + 1) / (key.headroom(now) + 0.01) : (this.#isRetired(place) ? 1e15 : 1e9) + key.restMs(now)
      if (score < bestScore) {
        best = place
        bestScore = score
      }
    }
    return best
  }

  enter(place: number, inputTokens: number, streamed: boolean): Visit {
    const { now } = this.#surroundings
    const at = now()
    const pass = this.#breaker.enter(at)
    this.#tellChange(at)
    const key = this.#keys[place]
    this.inFlight++
    if (key) key.inFlight++
    this.lastUsedAt = at
    return new RunningVisit(this, pass, key, place, bucketOf(inputTokens) + (streamed ? SIZES : 0), now)
  }

  /** What an answer turned out to hold. */
  learn(output: number | undefined, cachedShare: number | undefined, tokensPerSecond: number | undefined): void {
    if (output !== undefined) this.#output.add(output)
    if (cachedShare !== undefined) this.#cached.add(cachedShare)
    if (tokensPerSecond !== undefined) this.#speed.add(tokensPerSecond)
  }

  /** Another replica found it failing. What answered well here a moment ago is believed more. */
  hear(restMs: number): void {
    const now = this.#surroundings.now()
    if (this.#faults && now - this.lastGoodAt > BELIEVED_MS && this.#breaker.hear(restMs, now)) this.#tellChange(now)
  }

  /** The configuration has changed: refused keys may be new ones. */
  forgive(): void {
    for (const key of this.#keys) key.retired = false
  }

  // ---- told by visits

  noteBegun(pass: Pass, key: KeyState | undefined, index: number, ms: number, headers: Readonly<Headers>, now: number): void {
    this.#breaker.began(pass, now)
    if (key) {
      key.good(now)
      if (this.#faults) key.told(headers, now)
    }
    this.#latency[index] ??= new PeakEwma()
    this.#latency[index].add(ms, now)
    this.#quantiles[index] ??= new Quantiles(now)
    this.#quantiles[index].add(ms, now)
  }

  noteEnd(
    pass: Pass,
    key: KeyState | undefined,
    place: number,
    fault: GatewayError | undefined,
    headers: Readonly<Headers>,
    now: number,
  ): void {
    this.inFlight--
    if (key) key.inFlight--
    if (!this.#faults) return
    if (!fault) {
      this.lastGoodAt = now
      this.#breaker.success(pass, now)
      this.#errors.add(false, now)
      if (key) this.#retired.delete(place)
    } else this.#noteFault(fault, pass, key, place, headers, now)
    this.#tellChange(now)
  }

  #noteFault(fault: GatewayError, pass: Pass, key: KeyState | undefined, place: number, headers: Readonly<Headers>, now: number): void {
    const status = fault.upstreamStatus
    const verdict = verdictOf(fault, status)
    if (verdict !== 'hard') this.#breaker.neutral(pass)
    if (verdict !== 'none') key?.told(headers, now)
    switch (verdict) {
      case 'hard':
        this.lastFailedAt = now
        this.#breaker.failure(pass, now)
        this.#errors.add(true, now)
        if (fault.retryAfterMs !== undefined) this.#restUntil = Math.max(this.#restUntil, now + fault.retryAfterMs)
        return
      case 'limited':
        key?.refusedForNow(fault.retryAfterMs, now)
        this.#errors.add(true, now)
        return
      case 'refused':
        if (key) key.retired = true
        // A 403 may be about this model only; a 401 is about the key.
        if (status === 401) this.#retired.add(place)
        return
      case 'unpaid':
        key?.unpaid(now)
        return
      case 'none':
        return
    }
  }

  #usable(place: number, now: number): boolean {
    return !this.#retired.has(place) && this.#keys[place]?.usable(now) === true
  }
  #isRetired(place: number): boolean {
    return this.#retired.has(place) || this.#keys[place]?.retired === true
  }
  #anyKey(now: number): boolean {
    for (let place = 0; place < this.#keys.length; place++) if (this.#usable(place, now)) return true
    return false
  }
  #keysRestMs(now: number): number {
    let least = Number.POSITIVE_INFINITY
    for (let place = 0; place < this.#keys.length; place++) {
      if (!this.#isRetired(place)) least = Math.min(least, this.#keys[place]?.restMs(now) ?? 0)
    }
    return least
  }

  /** What is known of the size of input that is most like this one. */
  #nearest(bucket: number, offset: number, now: number): number | undefined {
    for (const near of nearestFirst[bucket] ?? []) {
      const value = this.#latency[offset + near]?.value(now)
      if (value !== undefined) return value
    }
    return undefined
  }

  #tellChange(now: number): void {
    const state = this.#breaker.state(now)
    if (state === this.#told) return
    const before = this.#told
    this.#told = state
    this.#surroundings.changed(this, before, state)
  }
}

/** For so long a good answer speaks against what others say. */
const BELIEVED_MS = 1_000

const NO_HEADERS: Readonly<Headers> = {}

class RunningVisit implements Visit {
  readonly #target: TargetState
  readonly #pass: Pass
  readonly #key: KeyState | undefined
  readonly #place: number
  readonly #index: number
  readonly #now: () => number
  #over = false

  constructor(target: TargetState, pass: Pass, key: KeyState | undefined, place: number, index: number, now: () => number) {
    this.#target = target
    this.#pass = pass
    this.#key = key
    this.#place = place
    this.#index = index
    this.#now = now
  }

  began(ms: number, headers: Readonly<Headers>): void {
    this.#target.noteBegun(this.#pass, this.#key, this.#index, ms, headers, this.#now())
  }

  ended(fault?: GatewayError, headers: Readonly<Headers> = NO_HEADERS): void {
    if (this.#over) return
    this.#over = true
    this.#target.noteEnd(this.#pass, this.#key, this.#place, fault, headers, this.#now())
  }
}
