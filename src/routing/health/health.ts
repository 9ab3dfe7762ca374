/**
 * The memory of how targets do. One for the life of the process: a reload hands it to the next line. Nothing here knows a
 * secret; keys are known by their place.
 */
import type { WireId } from '../../core/call.ts'
import type { HealthView } from '../../core/health.ts'
import type { Candidate } from '../../core/target.ts'
import type { BreakerOptions, BreakerState } from './breaker.ts'
import { type Surroundings, TargetState } from './target-state.ts'

export interface Transition {
  readonly provider: string
  readonly wire: string
  readonly model: string
  readonly from: BreakerState
  readonly to: BreakerState
  readonly at: number
  /** How long it will be left in peace. */
  readonly restMs: number
  /** Not found out here: another replica or thread said so. */
  readonly heard: boolean
}

export interface HealthOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** 0 to 1. Default `Math.random`. */
  readonly random?: () => number
  readonly breaker?: BreakerOptions
  /** Told of every opening, probing and closing. */
  readonly onTransition?: (transition: Transition) => void
}

/** One target as it is at a moment, for metrics and people. */
export interface TargetReport {
  readonly provider: string
  readonly wire: string
  readonly model: string
  readonly standing: string
  readonly breaker: BreakerState
  readonly restMs: number
  readonly share: number
  readonly inFlight: number
  readonly errors: number
  readonly headroom: number
  readonly firstTokenMs: number | undefined
  readonly answerMs: number | undefined
  readonly tokensPerSecond: number | undefined
}

export interface Health extends HealthView {
  /** The configuration now in force: how many keys each provider has. Refused keys get another chance. */
  configure(keyCounts: ReadonlyMap<string, number>): void
  /** Another replica or thread found this target failing. */
  hear(failing: Failing): void
  /** What an answer held, once it is known. */
  learn(id: { provider: string; wire: string; model: string }, answer: Learned): void
  snapshot(): readonly TargetReport[]
  now(): number
  random(): number
}

/** What replicas tell each other. */
export type Failing = Pick<Transition, 'provider' | 'wire' | 'model' | 'restMs'>

export interface Learned {
  readonly output?: number | undefined
  readonly cachedShare?: number | undefined
  readonly tokensPerSecond?: number | undefined
}

/** Callers may name any model of a provider, so the memory is bounded. */
const MAX_TARGETS = 10_000
const STALE_MS = 600_000

export function createHealth({ now = Date.now, random = Math.random, breaker = {}, onTransition }: HealthOptions = {}): Health {
  const targets = new Map<string, TargetState>()
  /** A candidate's state by the wire it was last asked for: found without building a name. */
  const found = new WeakMap<Candidate, { wire: WireId; target: TargetState }>()
  const retired = new Map<string, Set<number>>()
  let keyCounts: ReadonlyMap<string, number> = new Map()
  let hearing = false

  const surroundings: Surroundings = {
    now,
    random,
    breaker,
    changed(target, from, to) {
      const { provider, wire, model } = target
      const at = now()
      onTransition?.({ provider, wire, model, from, to, at, restMs: target.restMs(at), heard: hearing })
    },
    retiredKeys(provider) {
      let places = retired.get(provider)
      if (!places) {
        places = new Set()
        retired.set(provider, places)
      }
      return places
    },
  }

  const nameOf = (provider: string, wire: string, model: string): string => `${provider}\n${wire}\n${model}`

  function makeRoom(): void {
    const at = now()
    for (const [name, target] of targets) {
      if (target.inFlight === 0 && at - target.lastUsedAt > STALE_MS) targets.delete(name)
    }
    for (const name of targets.keys()) {
      if (targets.size < MAX_TARGETS) return
      targets.delete(name)
    }
  }

  return {
    now,
    random,
    of(candidate, wire) {
      const last = found.get(candidate)
      if (last?.wire === wire) return last.target
      const { provider, model, memory } = candidate
      if (memory === 'none') return undefined
      const faults = memory !== 'load'
      const name = nameOf(provider, wire, faults ? model : `${model}\nload`)
      let target = targets.get(name)
      if (!target) {
        if (targets.size >= MAX_TARGETS) makeRoom()
        target = new TargetState({ provider, wire, model, faults }, keyCounts.get(provider) ?? 1, surroundings)
        target.lastUsedAt = now()
        targets.set(name, target)
      }
      if (last) Object.assign(last, { wire, target })
      else found.set(candidate, { wire, target })
      return target
    },
    configure(counts) {
      keyCounts = counts
      for (const places of retired.values()) places.clear()
      for (const [name, target] of targets) {
        const count = counts.get(target.provider)
        if (count === undefined) targets.delete(name)
        else {
          target.keyCount = count
          target.forgive()
        }
      }
    },
    hear({ provider, wire, model, restMs }) {
      hearing = true
      targets.get(nameOf(provider, wire, model))?.hear(restMs)
      hearing = false
    },
    learn({ provider, wire, model }, { output, cachedShare, tokensPerSecond }) {
      for (const name of [nameOf(provider, wire, model), nameOf(provider, wire, `${model}\nload`)])
        targets.get(name)?.learn(output, cachedShare, tokensPerSecond)
    },
    snapshot() {
      const at = now()
      return [...targets.values()].map((target) => ({
        provider: target.provider,
        wire: target.wire,
        model: target.model,
        standing: target.standing(at),
        breaker: target.breakerState(at),
        restMs: target.restMs(at),
        share: target.share(at),
        inFlight: target.inFlight,
        errors: target.errors(at),
        headroom: target.headroom(at),
        firstTokenMs: target.latencyMs(0, true, at),
        answerMs: target.latencyMs(0, false, at),
        tokensPerSecond: target.tokensPerSecond,
      }))
    },
  }
}
