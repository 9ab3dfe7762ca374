/** What to do after an attempt has failed, before the caller has seen anything. Pure: a row of the fault table and the situation. */
import type { GatewayError } from '../core/error.ts'
import { backoffMs, MAX_BACKOFF_MS } from './backoff.ts'

export interface Situation {
  readonly fault: GatewayError
  /** Attempts on this target with this call, this one included. */
  readonly tries: number
  /** Attempts that one target gets. */
  readonly attempts: number
  /** Another usable key of this provider has not been tried. */
  readonly anotherKey: boolean
  /** The target is known to fail: its breaker is open, or it said when to come back. */
  readonly failing: boolean
  /** Until the call's deadline. */
  readonly remainingMs: number
  /** What a first token usually takes here; undefined when nobody knows. */
  readonly usualMs: number | undefined
  random(): number
  /** Asked last, and only when a retry would be right: it uses up budget. */
  mayRetry(): boolean
}

export type Next =
  | { readonly step: 'key' }
  | { readonly step: 'same'; readonly afterMs: number }
  | { readonly step: 'target' }
  /** Only a target with a larger context can help. */
  | { readonly step: 'larger' }
  /** Another provider may have other rules. */
  | { readonly step: 'lenient' }
  | { readonly step: 'stop' }

export function nextStep(situation: Situation): Next {
  const { fault, tries, attempts, anotherKey, failing, remainingMs, usualMs, random, mayRetry } = situation
  if (isTooLong(fault)) return { step: 'larger' }
  if (isPolicy(fault)) return { step: 'lenient' }
  if (fault.fault.retry === 'never') return { step: 'stop' }
  // A key that is refused or used up says nothing of the next one.
  if (fault.id === 'upstream-credential' || fault.id === 'upstream-rate-limited') return anotherKey ? { step: 'key' } : { step: 'target' }
  if (fault.fault.retry !== 'same' || tries >= attempts || failing) return { step: 'target' }
  const told = fault.retryAfterMs
  if (told !== undefined && told > MAX_BACKOFF_MS) return { step: 'target' }
  const afterMs = backoffMs(tries, told, random)
  // An answer that would come after the deadline helps nobody.
  if (afterMs + (usualMs ?? 0) >= remainingMs) return { step: 'target' }
  return mayRetry() ? { step: 'same', afterMs } : { step: 'target' }
}

const tooLong =
  /context[_ -]?(?:length|window)|maximum context|prompt is too long|input is too long|too many (?:input )?tokens|input token count.{0,60}exceed|exceeds? the (?:model'?s? )?(?:context|maximum number of tokens)|reduce the length/i
const policy =
  /content[_ -]?(?:policy|filter|management)|responsible[_ ]?ai|safety (?:system|policy|filter)|flagged (?:as|by|for)|moderation|violat\w+ .{0,40}polic/i

const wordsOf = ({ message, providerCode }: GatewayError): string => `${providerCode ?? ''} ${message}`

/** The provider says that the input does not fit into its model. */
export const isTooLong = (fault: GatewayError): boolean => fault.id === 'upstream-rejected' && tooLong.test(wordsOf(fault))

/** The provider's own rules, not the form of the request. */
export const isPolicy = (fault: GatewayError): boolean => fault.id === 'upstream-rejected' && policy.test(wordsOf(fault))
