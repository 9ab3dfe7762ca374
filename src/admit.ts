/**
 * The door, between what a caller asks and where it goes: may they, what may it cost, is there a place. In this order, so that a
 * refusal takes no place, and nobody without a key learns whether the gateway is full.
 */
import type { Admission, Place } from './admission/admission.ts'
import type { Alarm } from './core/alarm.ts'
import type { Exchange } from './core/exchange.ts'
import type { HttpRequest } from './core/http.ts'
import type { Inquiry } from './core/inquiry.ts'
import type { Access, Admitted, Caller, FallTo, PricedCandidate, Spending, SpendingCall } from './core/policy.ts'
import { anonymous, type Principal } from './core/principal.ts'
import type { Candidate } from './core/target.ts'
import type { Controls } from './ingress/controls.ts'
import { callerOf } from './ingress/credential.ts'
import { askedOf } from './routing/asked.ts'
import type { Choice } from './routing/choose.ts'
import type { Route } from './routing/routes.ts'
import { type Tiers, tierOf } from './routing/tiers.ts'

export interface DoorParts {
  /** Absent: anyone may call. */
  readonly access?: Access | undefined
  /** Absent: nothing is counted and nothing written down. */
  readonly spending?: Spending | undefined
  readonly tiers: Tiers
  estimateTokens(json: Inquiry['json']): number
  /** What this call may cost there at worst. */
  priced(candidate: Candidate, asked: Inquiry): PricedCandidate
}

/** Finds out who calls. A promise only where a store has to be asked. */
export function identify(access: Access, request: HttpRequest, exchange: Exchange): Caller | Promise<Caller> {
  const caller = callerOf(request)
  exchange.ipClass = access.ipClass(caller)
  const found = access.authenticate(caller)
  if (!(found instanceof Promise)) return known(found)
  return found.then(known)

  function known(principal: Principal): Caller {
    exchange.principal = principal
    if (principal.kind !== 'anonymous') exchange.key = factsOf(principal)
    return caller
  }
}

const facts = new WeakMap<Principal, Readonly<Record<string, unknown>>>()

/** What conditions may ask of a key. */
function factsOf(principal: Principal): Readonly<Record<string, unknown>> {
  let known = facts.get(principal)
  if (!known) {
    const { id, alias = '', group = '', role, tenant, user = '', tags, tier = '', metadata } = principal
    const { organisation = '', team = '', project = '' } = tenant
    known = { id, alias, group, role, organisation, team, project, user, tags, tier, metadata }
    facts.set(principal, known)
  }
  return known
}

/** Throws `forbidden` for what the key may not ask for. */
export function authorize(parts: DoorParts, op: string, model: string | undefined, request: HttpRequest, exchange: Exchange): void {
  const { access, tiers } = parts
  const { principal } = exchange
  // Nothing is denied to those who are nobody in particular: where that is not so, they do not come here.
  if (!access || !principal || principal.kind === 'anonymous') return
  const tier = model === undefined || tiers.size === 0 ? undefined : tierNamed(tiers, model)
  access.authorize(principal, { op, ...(model !== undefined && { requestedModel: model }), tier, caller: callerOf(request) })
}

export interface Affordable extends Choice {
  readonly admitted: Admitted | undefined
}

/**
 * Chooses where the call goes and holds what it may cost; where a budget says so, a cheaper tier is chosen instead. A promise only where
 * counters have to be asked.
 */
export function afford(
  asked: Inquiry,
  controls: Controls,
  exchange: Exchange,
  parts: DoorParts,
  chooseFor: (inquiry: Inquiry) => Choice,
): Affordable | Promise<Affordable> {
  const { spending, tiers } = parts
  const principal = exchange.principal ?? anonymous
  const first = chooseFor(asked)
  if (!spending || asked.op !== 'chat' || spending.needless?.(principal)) return { ...first, admitted: undefined }
  const tier = tiers.size === 0 ? undefined : (tierNamed(tiers, asked.model) ?? principal.tier)
  return attempt(first, tier, new Set())

  function attempt(choice: Choice, tier: string | undefined, fallen: Set<string>): Affordable | Promise<Affordable> {
    const verdict = (spending as Spending).admit(new DoorCall({ asked, controls, exchange, parts, principal, choice, tier }))
    const next = (admitted: Admitted | FallTo): Affordable | Promise<Affordable> => {
      if (!('fallTo' in admitted)) {
        exchange.limitHeaders = admitted.headers
        return { ...allowed(choice, admitted), admitted }
      }
      return fall(admitted, tier, fallen)
    }
    return verdict instanceof Promise ? verdict.then(next) : next(verdict)
  }

  function fall({ why, refusal }: FallTo, tier: string | undefined, fallen: Set<string>): Affordable | Promise<Affordable> {
    if (tier !== undefined) fallen.add(tier)
    const next = tier === undefined ? undefined : tiers.get(tier)?.next
    if (next === undefined || fallen.has(next)) throw refusal
    // A tier's name is a route: all its models, in their order.
    const choice = chooseFor({ ...asked, model: next })
    exchange.tier = next
    exchange.fell = why
    return attempt(choice, next, fallen)
  }
}

interface DoorCallParts {
  readonly asked: Inquiry
  readonly controls: Controls
  readonly exchange: Exchange
  readonly parts: DoorParts
  readonly principal: Principal
  readonly choice: Choice
  readonly tier: string | undefined
}

/** What spending may know of a call. Calls under no rule need no estimates: these are worked out when they are asked for. */
class DoorCall implements SpendingCall {
  readonly exchange: Exchange
  readonly principal: Principal
  readonly tier: string | undefined
  readonly #door: DoorCallParts
  #inputTokens: number | undefined

  constructor(door: DoorCallParts) {
    this.exchange = door.exchange
    this.principal = door.principal
    this.tier = door.tier
    this.#door = door
  }

  get ipClass(): string {
    return this.exchange.ipClass ?? 'external'
  }

  get metadata(): SpendingCall['metadata'] {
    return this.#door.controls.metadata
  }

  get limitMs(): number {
    const { choice, controls } = this.#door
    return Math.min(choice.route.totalMs, controls.timeoutMs ?? Number.POSITIVE_INFINITY)
  }

  get inputTokens(): number {
    this.#inputTokens ??= this.#door.parts.estimateTokens(this.#door.asked.json)
    return this.#inputTokens
  }

  get maxOutputTokens(): number | undefined {
    return askedOf(this.#door.asked).maxOutput
  }

  candidates(): readonly PricedCandidate[] {
    const { choice, parts, asked } = this.#door
    return choice.plan.candidates.map((candidate) => parts.priced(candidate, asked))
  }
}

const tierNamed = (tiers: Tiers, model: string): string | undefined => (tiers.has(model) ? model : tierOf(tiers, model))

/** Without the places whose own limits are reached. */
function allowed(choice: Choice, { without }: Admitted): Choice {
  if (!without) return choice
  const keep = (_: Candidate, index: number): boolean => !without.has(index)
  const { candidates, ready } = choice.plan
  return { ...choice, plan: { ...choice.plan, candidates: candidates.filter(keep), ready: candidates.slice(0, ready).filter(keep).length } }
}

/** Waits for a place, which the call keeps until it is settled. */
export async function placeFor(
  admission: Admission,
  { priority }: Route,
  { body }: HttpRequest,
  exchange: Exchange,
  limit: Alarm,
): Promise<Place> {
  try {
    return await admission.enter({ priority: priority ?? 'interactive', bytes: body.length, cancellation: exchange.cancellation })
  } catch (thrown) {
    limit.cancel()
    throw thrown
  }
}
