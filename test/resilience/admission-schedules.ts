/**
 * Random schedules over admission: its limiter, its waiting line and its places, with a clock, a die and a process that is
 * now and then late, short of memory or reconfigured. Each plays one schedule and throws when an invariant breaks.
 */
import assert from 'node:assert/strict'
import { type Admission, type AdmissionReport, createAdmission, type Place } from '../../src/admission/admission.ts'
import { Limiter } from '../../src/admission/limiter.ts'
import type { Clock } from '../../src/admission/loop-delay.ts'
import { Cancellation } from '../../src/core/cancellation.ts'
import { GatewayError } from '../../src/core/error.ts'
import { type Priority, priorities } from '../../src/core/priority.ts'
import { type Die, die } from './die.ts'

/** Time passes only when it is told to. A busy loop is time that passes without any timer being heard. */
class VirtualClock implements Clock {
  at = 0
  readonly #timers: { due: number; run: (() => void) | undefined }[] = []

  now(): number {
    return this.at
  }

  after(ms: number, run: () => void): () => void {
    const timer: { due: number; run: (() => void) | undefined } = { due: this.at + ms, run }
    this.#timers.push(timer)
    return () => {
      timer.run = undefined
    }
  }

  /** Runs the timer that is due first, until `end`; undefined when there is none. */
  next(end: number): (() => void) | undefined {
    let first = -1
    let due = end
    for (let index = this.#timers.length - 1; index >= 0; index--) {
      const timer = this.#timers[index]
      if (!timer?.run) {
        this.#timers.splice(index, 1)
        if (first > index) first--
      } else if (timer.due <= due) {
        due = timer.due
        first = index
      }
    }
    if (first < 0) return undefined
    const [timer] = this.#timers.splice(first, 1)
    this.at = Math.max(this.at, timer?.due ?? 0)
    return timer?.run
  }

  get pending(): number {
    return this.#timers.filter(({ run }) => run).length
  }
}

interface Call {
  readonly priority: Priority
  readonly bytes: number
  readonly since: number
  readonly cancellation: Cancellation
  place?: Place
}

/** One for all: errors take time to make. */
const hungUp = new GatewayError('client-closed', 'gone')

const LONGEST_WAIT_MS = 1_000
/** The line is never shorter than this, so a shorter one turns nobody away. */
const LEAST_LINE = 100
const RESERVED = 0.2

/**
 * Against a model that remembers every call:
 * places given and not given back are as many as it says, and the bytes they hold; nobody gets one beyond the limit, or
 * beyond the bytes unless it is alone; calls that are not interactive leave a fifth of the places free; who is more urgent
 * and fits goes first, and among equals who came first; nobody waits for longer than a second, the loop's own lateness
 * apart; only who is less urgent is sent away for another; a short line turns nobody away for its length; places that are free
 * are not withheld; every call is answered exactly once; a place given back twice is given back once; in the end nothing is
 * held, nobody waits and no timer is left.
 */
export async function admissionSchedule(seed: number): Promise<void> {
  const dice = die(seed)
  const clock = new VirtualClock()
  let calls = dice.pick([1, 2, 5, 20, 60, 300])
  let maxBytes = dice.pick([1_000, 3_000, 1_000_000])
  let memory = 0.2
  const admission = createAdmission({ calls, bytes: maxBytes, clock, random: dice.chance, memory: () => memory })
  const rig = new AdmissionModel(admission, clock)
  const crowd = dice.pick([1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 40])
  const steps = crowd === 1 ? 24 : 12

  for (let step = 0; step < steps; step++) {
    const what = dice.chance()
    if (what < 0.5) {
      for (let count = 1 + dice.below(crowd); count > 0; count--) await rig.arrives(dice, maxBytes)
    } else if (what < 0.75) {
      for (let count = 1 + dice.below(crowd); count > 0; count--) await rig.leaves(dice, maxBytes)
    } else if (what < 0.8) rig.hangsUp(dice)
    else if (what < 0.93) await rig.passes(dice.pick([1, 15, 60, 300, 1_500]), maxBytes)
    else if (what < 0.96) {
      // The loop is busy: no timer is heard meanwhile.
      clock.at += dice.pick([30, 150, 800])
      await rig.passes(1, maxBytes)
    } else if (what < 0.98) memory = dice.pick([0.2, 0.2, 0.9, 0.97])
    else {
      calls = dice.pick([1, 5, 20, 60, 300])
      maxBytes = dice.pick([1_000, 3_000, 1_000_000])
      admission.configure({ calls, bytes: maxBytes })
    }
    await rig.look(maxBytes)
  }
  memory = 0.2
  await rig.ends(maxBytes)
}

class AdmissionModel {
  readonly #admission: Admission
  readonly #clock: VirtualClock
  readonly #running = new Set<Call>()
  readonly #waiting: Call[] = []
  #held = 0
  #asked = 0
  #answered = 0
  #grants = 0
  #maxBytes = Number.POSITIVE_INFINITY
  #faults: string[] = []

  constructor(admission: Admission, clock: VirtualClock) {
    this.#admission = admission
    this.#clock = clock
  }

  async arrives(dice: Die, maxBytes: number): Promise<void> {
    this.#maxBytes = maxBytes
    const call: Call = {
      priority: dice.pick(priorities),
      bytes: dice.below(400),
      since: this.#clock.now(),
      cancellation: new Cancellation(),
    }
    if (dice.chance() < 0.02) call.cancellation.cancel(hungUp)
    const before = this.#admission.report()
    this.#asked++
    let entered: Place | Promise<Place>
    try {
      entered = this.#admission.enter(call)
    } catch (error) {
      this.#answered++
      this.#refusedAtOnce(call, before, error)
      return await this.look(maxBytes)
    }
    if (entered instanceof Promise) {
      assert.ok(
        before.inFlight >= this.#open(call.priority) || this.#waiting.length > 0 || this.#held + call.bytes > maxBytes,
        'a place that is free is given',
      )
      this.#waiting.push(call)
      entered.then(
        (place) => this.#granted(call, place),
        (error: unknown) => this.#refusedLater(call, error),
      )
    } else {
      assert.equal(this.#waiting.length, 0, 'nobody passes those who wait')
      this.#given(call, entered)
      assert.equal(entered.waitedMs, 0)
    }
    await this.look(maxBytes)
  }

  async leaves(dice: Die, maxBytes: number): Promise<void> {
    const call = this.#any(dice)
    if (!call) return
    this.#running.delete(call)
    this.#held -= call.bytes
    call.place?.leave()
    if (dice.chance() < 0.1) call.place?.leave()
    await this.look(maxBytes)
  }

  hangsUp(dice: Die): void {
    if (this.#waiting.length > 0) dice.pick(this.#waiting).cancellation.cancel(hungUp)
  }

  /** Timer by timer, so that each is looked at by itself. */
  async passes(ms: number, maxBytes: number): Promise<void> {
    this.#maxBytes = maxBytes
    const end = this.#clock.now() + ms
    for (let run = this.#clock.next(end); run; run = this.#clock.next(end)) {
      run()
      await this.look(maxBytes)
    }
    this.#clock.at = Math.max(end, this.#clock.now())
  }

  /** What must hold at any time. Cheap where nothing has changed. */
  async look(maxBytes: number): Promise<void> {
    this.#maxBytes = maxBytes
    const report = this.#admission.report()
    if (report.inFlight !== this.#running.size || report.waiting !== this.#waiting.length) {
      // Who has waited hears of it a little later.
      for (let turns = 0; turns < 3; turns++) await undefined
    }
    if (this.#faults.length > 0) assert.fail(this.#faults.join('; '))
    assert.equal(report.inFlight, this.#running.size, 'places given and not given back')
    assert.equal(report.waiting, this.#waiting.length, 'those who wait')
    assert.equal(report.heldBytes, this.#held, 'bytes held')
    assert.ok(report.limit >= 1, 'there is a place at all')
    const oldest = this.#waiting[0]
    if (oldest) assert.ok(this.#clock.now() - oldest.since <= LONGEST_WAIT_MS + LATEST_MS, 'nobody waits for longer than a second')
  }

  async ends(maxBytes: number): Promise<void> {
    if (this.#waiting.length > 0) await this.passes(LONGEST_WAIT_MS, maxBytes)
    assert.equal(this.#waiting.length, 0, 'nobody waits for ever')
    for (const { place } of this.#running) place?.leave()
    this.#running.clear()
    this.#held = 0
    await this.passes(40, maxBytes)
    assert.equal(this.#answered, this.#asked, 'every call is answered once')
    assert.equal(this.#clock.pending, 0, 'no timer is left')
    const { waited, heldBytes, inFlight } = this.#admission.report()
    assert.deepEqual({ inFlight, heldBytes, waited: waited.count }, { inFlight: 0, heldBytes: 0, waited: this.#grants })
  }

  #any(dice: Die): Call | undefined {
    let index = dice.below(Math.max(1, this.#running.size))
    for (const call of this.#running) if (index-- === 0) return call
    return undefined
  }

  #open(priority: Priority): number {
    const { limit } = this.#admission.report()
    return priority === 'interactive' ? limit : Math.max(1, Math.floor(limit * (1 - RESERVED)))
  }

  #given(call: Call, place: Place): void {
    call.place = place
    this.#answered++
    this.#running.add(call)
    this.#held += call.bytes
    assert.ok(this.#running.size <= this.#open(call.priority), 'a place beyond the limit')
    assert.ok(this.#held <= this.#maxBytes || this.#running.size === 1, 'bytes beyond the limit')
  }

  #granted(call: Call, place: Place): void {
    this.#checked(() => {
      const place_ = this.#waiting.indexOf(call)
      assert.ok(place_ >= 0, 'answered twice')
      const first = this.#waiting.find(({ priority }) => priority === call.priority)
      assert.equal(first, call, 'among equals who came first goes first')
      for (const urgent of priorities.slice(0, priorities.indexOf(call.priority))) {
        const passed = this.#waiting.find(({ priority }) => priority === urgent)
        assert.ok(!passed || this.#held + passed.bytes > this.#maxBytes, 'who is more urgent and fits goes first')
      }
      this.#waiting.splice(place_, 1)
      this.#grants++
      this.#given(call, place)
    })
  }

  #refusedAtOnce(call: Call, before: AdmissionReport, error: unknown): void {
    assert.ok(error instanceof GatewayError)
    if (call.cancellation.cancelled && error.id === 'client-closed') return
    assert.equal(error.id, 'overloaded')
    assert.ok((error.retryAfterMs ?? 0) >= 1_000, 'a refusal says when to come back')
    const { shed } = this.#admission.report()
    if (shed['line-full'] > before.shed['line-full']) {
      assert.ok(before.waiting >= LEAST_LINE, 'a short line turns nobody away')
      assert.ok(
        this.#waiting.every(({ priority }) => priorities.indexOf(priority) <= priorities.indexOf(call.priority)),
        'somebody less urgent would have been sent away',
      )
    } else if (shed.bytes > before.shed.bytes)
      assert.ok(this.#held + call.bytes > this.#maxBytes && call.bytes > this.#maxBytes / 2, 'it would have fitted')
    else assert.ok(shed.memory > before.shed.memory && before.inFlight > 0, 'refused for a reason')
  }

  #refusedLater(call: Call, error: unknown): void {
    this.#checked(() => {
      const place = this.#waiting.indexOf(call)
      assert.ok(place >= 0, 'answered twice')
      this.#waiting.splice(place, 1)
      this.#answered++
      assert.ok(error instanceof GatewayError)
      if (error.id === 'client-closed') return assert.ok(call.cancellation.cancelled)
      assert.equal(error.id, 'overloaded')
      const waited = this.#clock.now() - call.since
      if (waited >= LONGEST_WAIT_MS) return
      assert.ok(this.#waiting.length >= LEAST_LINE, 'sent away before its time though the line is short')
      assert.notEqual(call.priority, 'interactive', 'the most urgent are never sent away')
    })
  }

  /** Promises swallow what is thrown in them. */
  #checked(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#faults.push((error as Error).message)
    }
  }
}

/** The longest that the loop is busy at a stretch, several times in a row. */
const LATEST_MS = 800 * 4

/**
 * The limiter by itself: it stays between its ends; while the loop is calm it never shrinks, however slow providers
 * are; while the loop is late it never grows; one adjustment takes no more than a fifth of it, or of what runs when it was late
 * twice; where mostly refusals are made it stays; once the loop is calm and places are used, it comes back to its upper end.
 */
export function limiterSchedule(seed: number): void {
  const dice = die(seed)
  const lateMs = dice.pick([50, 100, 200])
  const min = dice.pick([1, 5, 20])
  let max = dice.pick([10, 100, 2_000])
  const limiter = new Limiter({ min, max, first: dice.pick([20, 64, 256]), lateMs })
  for (let step = 0; step < 60; step++) {
    const before = limiter.limit
    const what = dice.chance()
    if (what < 0.4) limiter.sample(`t${dice.below(3)}`, dice.pick([0, 1, 40, 400, 30_000]) * dice.chance())
    else if (what < 0.5) {
      const delayMs = dice.pick([0, lateMs * 0.1, lateMs, lateMs * 5])
      limiter.makeRoom(delayMs)
      if (delayMs > lateMs * 0.2) assert.equal(limiter.limit, before, 'no room is made while the loop is late')
      else assert.ok(limiter.limit >= before && limiter.limit <= before * 1.25 + 2)
    } else if (what < 0.53) {
      max = dice.pick([10, 100, 2_000])
      limiter.max = max
    } else {
      const observed = {
        inFlight: dice.pick([0, Math.floor(before / 4), before, before]),
        delayMs: dice.pick([0, lateMs * 0.1, lateMs * 0.5, lateMs * 1.5, lateMs * 50]),
        started: dice.below(100),
        refused: dice.pick([0, 0, 0, dice.below(300)]),
      }
      limiter.adjust(observed)
      const { limit } = limiter
      if (observed.started < observed.refused * 0.6) assert.equal(limit, before, 'refusals alone change nothing')
      else if (observed.delayMs <= lateMs * 0.2) assert.ok(limit >= before, 'it does not shrink while the loop is calm')
      else if (observed.delayMs > lateMs) {
        assert.ok(limit <= before, 'it does not grow while the loop is late')
        assert.ok(limit >= Math.floor(Math.min(before * 0.8, Math.min(before, observed.inFlight) * 0.8)) - 1, 'it shrinks with measure')
      }
    }
    assert.ok(Number.isInteger(limiter.limit) && limiter.limit >= 1 && limiter.limit <= max, `a limit of ${limiter.limit}`)
    assert.ok(limiter.limit >= Math.min(min, max), 'it keeps to its lower end')
  }
  for (let calm = 0; calm < 80; calm++) limiter.adjust({ inFlight: limiter.limit, delayMs: 0, started: 10, refused: 0 })
  assert.equal(limiter.limit, max, 'it comes back')
}
