/** Whether a candidate meets a set of constraints, and if not, why, in words for the caller. Pure. */

import type { Constraints } from '../../core/constraints.ts'
import type { Comparison, Requirement } from '../../core/requirements.ts'
import { type Retention, retentions } from '../../core/steering.ts'
import type { Candidate } from '../../core/target.ts'
import type { Estimates } from '../estimates.ts'
import { lacks } from '../needs/features.ts'

export function objectionTo(candidate: Candidate, constraints: Constraints, estimates: Estimates): string | undefined {
  const { region, trust, retention, allow, deny, maxPrice, maxCost, maxLatencyMs, require } = constraints
  if (allow && !allow.includes(candidate.provider)) return 'its provider is not among those allowed'
  if (deny?.includes(candidate.provider)) return 'its provider is excluded'
  // What nobody knows is assumed of capabilities. Of where data goes and what it costs it is not.
  if (region && !inRegion(candidate.region, region))
    return candidate.region === undefined
      ? `its region is not known, and must be ${either(region)}`
      : `it is in ${candidate.region}, not in ${either(region)}`
  if (trust && (candidate.trust === undefined || !trust.includes(candidate.trust)))
    return `its trust is ${candidate.trust ?? 'not known'}, and must be ${either(trust)}`
  if (retention && !keepsAtMost(candidate.retention, retention))
    return `its data retention is ${candidate.retention ?? 'not known'}, and may be ${retention} at most`
  if (maxPrice) {
    const objection = priceObjection(candidate, maxPrice, estimates)
    if (objection) return objection
  }
  if (maxCost !== undefined) {
    const cost = estimates.mostCost(candidate)
    if (cost === undefined) return 'what it would cost is not known'
    if (cost > maxCost) return `it may cost ${dollars(cost)}, more than ${dollars(maxCost)}`
  }
  if (maxLatencyMs !== undefined) {
    const latency = estimates.latencyMs(candidate)
    if (latency !== undefined && latency > maxLatencyMs) return `it takes ${Math.round(latency)} ms, more than ${maxLatencyMs} ms`
  }
  if (require)
    for (const requirement of require) {
      const objection = unmet(candidate, requirement, estimates)
      if (objection) return objection
    }
  return undefined
}

function priceObjection(candidate: Candidate, most: NonNullable<Constraints['maxPrice']>, estimates: Estimates): string | undefined {
  const price = estimates.rates(candidate)
  for (const kind of ['input', 'output'] as const) {
    const limit = most[kind]
    if (limit === undefined) continue
    const rate = price?.[kind]
    if (rate === undefined) return `its ${kind} price is not known`
    if (rate > limit) return `its ${kind} price is ${dollars(rate)} per million tokens, more than ${dollars(limit)}`
  }
  return undefined
}

function unmet(candidate: Candidate, requirement: Requirement, estimates: Estimates): string | undefined {
  switch (requirement.kind) {
    case 'feature':
      return lacks(candidate, requirement.feature) ? `it lacks ${requirement.feature}` : undefined
    case 'caching': {
      const rates = estimates.rates(candidate)
      return rates && rates.cacheRead === undefined ? 'it has no prompt caching' : undefined
    }
    case 'number': {
      const value = quantityOf(candidate, requirement.quantity, estimates)
      if (value === undefined)
        return requirement.quantity.endsWith('_price') ? `its ${requirement.quantity.replace('_', ' ')} is not known` : undefined
      return compare(value, requirement.compare, requirement.value)
        ? undefined
        : `${requirement.quantity} is ${+value.toFixed(4)}, not ${requirement.text}`
    }
    case 'word': {
      const { subject, values, not } = requirement
      const met =
        subject === 'retention'
          ? values.some((value) => keepsAtMost(candidate.retention, value as Retention))
          : wordIs(candidate, subject, values)
      if (met !== not) return undefined
      return `its ${subject} is ${(subject === 'retention' ? candidate.retention : candidate[subject]) ?? 'not known'}`
    }
    default:
      requirement satisfies never
      return undefined
  }
}

function wordIs(candidate: Candidate, subject: 'region' | 'trust' | 'provider' | 'model', values: readonly string[]): boolean {
  const own = candidate[subject]
  if (subject === 'region') return inRegion(own, values)
  return own !== undefined && values.includes(own.toLowerCase())
}

function quantityOf(
  candidate: Candidate,
  quantity: (Requirement & { kind: 'number' })['quantity'],
  estimates: Estimates,
): number | undefined {
  const { contextWindow, maxOutput } = candidate.on(candidate.wires[0] ?? 'openai-chat').capabilities
  switch (quantity) {
    case 'context':
      return contextWindow
    case 'output':
      return maxOutput
    case 'input_price':
      return estimates.rates(candidate)?.input
    case 'output_price':
      return estimates.rates(candidate)?.output
    case 'latency':
      return estimates.latencyMs(candidate)
    default:
      return quantity satisfies never
  }
}

function compare(value: number, by: Comparison, limit: number): boolean {
  switch (by) {
    case '>=':
      return value >= limit
    case '<=':
      return value <= limit
    case '>':
      return value > limit
    case '<':
      return value < limit
    default:
      return by satisfies never
  }
}

/** `eu` takes `eu`, `eu-west-1` and Google's `europe-west4`; `eu-west` takes `eu-west-1`. */
export function inRegion(region: string | undefined, wanted: readonly string[]): boolean {
  if (region === undefined) return false
  const own = region.toLowerCase()
  return wanted.some((one) => {
    const name = one.toLowerCase()
    return own === name || own.startsWith(`${name}-`) || (name === 'eu' && /^europe(-|$)/.test(own))
  })
}

/** What is not known may keep everything. */
const keepsAtMost = (kept: Retention | undefined, most: Retention): boolean =>
  kept !== undefined && retentions.indexOf(kept) <= retentions.indexOf(most)

const either = (words: readonly string[]): string => words.join(' or ')
const dollars = (amount: number): string => `$${+amount.toPrecision(6)}`
