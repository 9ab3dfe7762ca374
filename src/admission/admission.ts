/**
 * What a call must get before it may be sent: a place. Places are as many as the process bears (`limiter.ts`), and what
 * they hold in bytes is bounded too. Who finds none waits a moment, the most urgent first; who would wait in vain is refused at
 * once, as cheaply as can be. One for the life of the process.
 */
import type { Cancellation } from '../core/cancellation.ts'
import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import type { Priority } from '../core/priority.ts'
import { Limiter } from './limiter.ts'
import { type Clock, LoopDelay, systemClock } from './loop-delay.ts'
import { type Waiter, WaitingLine } from './waiting-line.ts'

export interface AdmissionLimits {
  /** Calls at a time, at the very most. Default 2 000. */
  readonly calls?: number
  /** Bytes of request bodies held by calls that run or wait. Default 256 MB. */
  readonly bytes?: number
}

export interface AdmissionOptions extends AdmissionLimits {
  /** Share of the memory that the process may have which it uses: of the heap or of what the machine has, whichever is more. */
  readonly memory?: () => number
  readonly clock?: Clock
  /** 0 to 1. Default `Math.random`. */
  readonly random?: () => number
}

/** One call, as far as admission is concerned. */
export interface Applicant {
  readonly priority: Priority
  /** Of its body. */
  readonly bytes: number
  readonly cancellation: Cancellation
}

/** A place. It is given back exactly once; further times do nothing. */
export interface Place {
  /** Milliseconds that the call waited for it. */
  readonly waitedMs: number
  /** The call has ended. */
  leave(): void
}

/** Why calls were refused: no place in time, no place in the line, too many bytes, too little memory. */
export const shedReasons = ['waited', 'line-full', 'bytes', 'memory'] as const
export type ShedReason = (typeof shedReasons)[number]

export interface AdmissionReport {
  readonly limit: number
  readonly inFlight: number
  readonly waiting: number
  readonly heldBytes: number
  readonly delayMs: number
  readonly memory: number
  readonly shed: Readonly<Record<ShedReason, number>>
  readonly waited: { readonly count: number; readonly sumMs: number }
  /** Callers who hung up while they waited. */
  readonly left: number
}

export interface Admission {
  /** At once where there is a place. Throws or rejects with `overloaded`, or with the reason for which the call was cancelled. */
  enter(applicant: Applicant): Place | Promise<Place>
  /**
   * Nobody gets a place now, however urgent, nor could wait for one: asked before anything is read. `ahead`: calls that have arrived and that
   * the process has not come to yet.
   */
  closed(ahead?: number): GatewayError | undefined
  /** A call was refused because of that. */
  turnedAway(): void
  /** A call of this target waited so long for its first token, from its place on. */
  firstToken(target: string, ms: number): void
  configure(limits: AdmissionLimits): void
  report(): AdmissionReport
}

/** Waiting for longer is worse than hearing at once that there is no place. */
const LONGEST_WAIT_MS = 1_000
/** The line is as long as this many milliseconds take to serve: longer than callers and providers fall silent for a moment when all are busy. */
const LINE_MS = 250
const LEAST_LINE = 100
/** Whoever comes at once to a gateway that had nothing to do is served: nobody knows its pace then. */
const LEAST_OUTSIDE = 1_000
/** Places kept for interactive calls. */
const RESERVED = 0.2
/** Below so many calls at a time nobody asks how the process is doing. */
const BUSY = 16
const ADJUST_MS = 250
const MEMORY_MS = 500
const MEMORY_TIGHT = 0.85
const MEMORY_FULL = 0.95

const overloaded = (seconds: number): GatewayError =>
  new GatewayError('overloaded', 'The gateway is at its limits: try again after a moment.', { retryAfterMs: seconds * 1_000 })
const refusals: readonly GatewayError[] = [overloaded(1), overloaded(2), overloaded(3)]

interface Waiting extends Waiter {
  readonly since: number
  admit(): void
  refuse(error: GatewayError): void
}

export function createAdmission({
  calls = 2_000,
  bytes = 256 * 1024 * 1024,
  memory = () => 0,
  clock = systemClock,
  random = Math.random,
}: AdmissionOptions = {}): Admission {
  const limiter = new Limiter({ max: calls })
  const line = new WaitingLine<Waiting>()
  const delay = new LoopDelay(clock, ticked)
  const shed: Record<ShedReason, number> = { waited: 0, 'line-full': 0, bytes: 0, memory: 0 }
  let maxBytes = bytes
  let inFlight = 0
  let held = 0
  let used = 0
  let left = 0
  /** Since the last adjustment. */
  let started = 0
  /** Calls that get a place, by the millisecond, lately. */
  let perMs = 0
  let refused = 0
  /** Before the line, as of when that was told. */
  let outside = 0
  let toldAt = 0
  let adjustedAt = 0
  let delayMs = 0
  let memoryAt = Number.NEGATIVE_INFINITY
  const waited = { count: 0, sumMs: 0 }

  /** Less than the limiter's where memory runs short. */
  const places = (): number =>
    used <= MEMORY_TIGHT
      ? limiter.limit
      : Math.max(1, Math.floor(limiter.limit * Math.max(0.1, (MEMORY_FULL - used) / (MEMORY_FULL - MEMORY_TIGHT))))
  /** As many as will get a place soon. */
  const lineLength = (): number => Math.max(LEAST_LINE, Math.floor(perMs * LINE_MS))
  const open = (priority: Priority): number => (priority === 'interactive' ? places() : Math.max(1, Math.floor(places() * (1 - RESERVED))))
  /** One call alone may be as large as a body may be. */
  const fits = ({ priority, bytes }: { readonly priority: Priority; readonly bytes: number }): boolean =>
    inFlight < open(priority) && (held + bytes <= maxBytes || held === 0)

  return {
    enter(applicant) {
      look()
      if (used > MEMORY_FULL && inFlight > 0) throw refuse('memory')
      if (line.size === 0 && fits(applicant)) return placed(applicant.bytes, 0)
      return queued(applicant)
    },
    closed(ahead = 0) {
      look()
      if (used > MEMORY_FULL && inFlight > 0) return refusal()
      // A few that arrived together are no queue.
      outside = ahead >= BUSY ? ahead : 0
      if (outside > 0) {
        toldAt = clock.now()
        delay.start()
      }
      const full = line.size > 0 && line.size >= lineLength() && line.allMostUrgent
      return full || ahead >= Math.max(LEAST_OUTSIDE, perMs * LINE_MS) ? refusal() : undefined
    },
    turnedAway() {
      shed[used > MEMORY_FULL ? 'memory' : 'line-full']++
      refused++
    },
    firstToken: (target, ms) => limiter.sample(target, ms),
    configure({ calls = 2_000, bytes = 256 * 1024 * 1024 }) {
      limiter.max = calls
      maxBytes = bytes
      next()
    },
    report: () => ({
      limit: places(),
      inFlight,
      waiting: line.size + waitingOutside(),
      heldBytes: held,
      delayMs,
      memory: used,
      shed: { ...shed },
      waited: { ...waited },
      left,
    }),
  }

  function placed(size: number, waitedMs: number): Place {
    inFlight++
    started++
    held += size
    if (inFlight >= BUSY) delay.start()
    let here = true
    return {
      waitedMs,
      leave() {
        if (!here) return
        here = false
        inFlight--
        held -= size
        if (line.size > 0) next()
      },
    }
  }

  function queued({ priority, bytes: size, cancellation }: Applicant): Promise<Place> {
    if (cancellation.cancelled) throw gatewayErrorOf(cancellation.reason)
    if (held + size > maxBytes && size > maxBytes / 2) throw refuse('bytes')
    if (line.size >= lineLength()) {
      const other = line.lastBelow(priority)
      if (!other) throw refuse('line-full')
      other.refuse(refuse('line-full'))
    }
    delay.start()
    return new Promise((resolve, reject) => {
      const out = (): void => {
        line.leave(waiting)
        forgetTimer()
        forgetCaller()
      }
      const waiting: Waiting = {
        priority,
        bytes: size,
        gone: false,
        since: clock.now(),
        admit() {
          out()
          const ms = clock.now() - waiting.since
          waited.count++
          waited.sumMs += ms
          resolve(placed(size, ms))
        },
        refuse(error) {
          out()
          reject(error)
        },
      }
      line.add(waiting)
      const forgetTimer = clock.after(LONGEST_WAIT_MS, () => waiting.refuse(refuse('waited')))
      const forgetCaller = cancellation.onCancel((reason) => {
        left++
        waiting.refuse(gatewayErrorOf(reason))
      })
    })
  }

  /** Gives the places that are free to those who wait. */
  function next(): void {
    for (let waiting = line.first(fits); waiting; waiting = line.first(fits)) waiting.admit()
  }

  function ticked(): void {
    const now = clock.now()
    look()
    if (line.size > 0) limiter.makeRoom(delay.recentMs)
    if (now - adjustedAt >= ADJUST_MS) {
      // The first time since it was idle says nothing of a pace.
      if (now - adjustedAt < 8 * ADJUST_MS) perMs += (started / (now - adjustedAt) - perMs) * 0.3
      adjustedAt = now
      delayMs = delay.take()
      limiter.adjust({ inFlight, delayMs, started, refused })
      started = 0
      refused = 0
    }
    next()
    if (inFlight >= BUSY || line.size > 0 || waitingOutside() > 0) return
    delay.stop()
    delayMs = 0
  }

  /** Who arrived last told how many were there: after a while without anybody they have come in. */
  function waitingOutside(): number {
    return clock.now() - toldAt < ADJUST_MS ? outside : 0
  }

  /** Asking costs some microseconds, so it is asked seldom. */
  function look(): void {
    const now = clock.now()
    if (now - memoryAt < MEMORY_MS) return
    memoryAt = now
    used = memory()
  }

  function refuse(reason: ShedReason): GatewayError {
    shed[reason]++
    refused++
    return refusal()
  }

  /** Ready-made, since an error takes time to make. Spread out, so that those who were refused together do not come back together. */
  function refusal(): GatewayError {
    return refusals[Math.floor(random() * refusals.length)] ?? overloaded(1)
  }
}
