/**
 * The attempt loop: candidates in order, each with its keys and retries, until one answers well. It owns what is tried
 * again and where; everything before the first event of an answer happens here, unseen by the caller.
 *
 * Going on to a target that has not been tried and does not rest is always allowed, or a healthy target would be left
 * unused. Everything else that repeats work is paid for from the retry budget.
 */

import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import { type Attempt, type Exchange, elapsed } from '../core/exchange.ts'
import type { Plan } from '../core/health.ts'
import type { Inquiry } from '../core/inquiry.ts'
import type { JsonObject } from '../core/json.ts'
import { type Candidate, wireFor } from '../core/target.ts'
import { answerOf, type EventStream, ProviderFault } from './answer.ts'
import { attempt, type Delivered, healthOf, nowOf, outdated, providerFor, type Run, type Upstreams } from './attempt.ts'
import { pause } from './backoff.ts'
import { replay } from './follow.ts'
import { type Finish, mayHedge, type Runner, race } from './hedge.ts'
import { nextKey } from './key-pool.ts'
import { nextStep } from './recovery.ts'

export type { Delivered, Upstreams } from './attempt.ts'

/** Characters in a token, about. */
const CHARACTERS_PER_TOKEN = 4

/** A call whose key is replaced on the way is sent again; not for ever. */
const MAX_ROTATIONS = 5

export interface AttemptOptions {
  /** The call's deadline, from its beginning. */
  readonly limitMs?: number
  /** A second target is asked when the first is slow. */
  readonly hedge?: boolean
}

/** Throws the last fault when every candidate has failed. */
export async function attemptAll(
  inquiry: Inquiry,
  order: Plan | readonly Candidate[],
  exchange: Exchange,
  upstreams: Upstreams,
  { limitMs = Number.POSITIVE_INFINITY, hedge = false }: AttemptOptions = {},
): Promise<Delivered> {
  const planned = 'ready' in order
  const candidates = planned ? order.candidates : order
  const ready = planned ? order.ready : order.length
  const run: Run = {
    inquiry,
    exchange,
    upstreams,
    budget: candidates[0]?.memory === undefined ? upstreams.budgets?.begin(budgetName(exchange, candidates[0]), hedge) : undefined,
    limitMs,
    inputTokens: Math.ceil(inquiry.text.length / CHARACTERS_PER_TOKEN),
    cancellation: exchange.cancellation,
    last: undefined,
    attempts: 0,
    tooLongFor: undefined,
  }
  let from = 0
  if (hedge && ready > 1) {
    const raced = await hedged(candidates[0] as Candidate, candidates[1] as Candidate, run)
    if (raced?.winner) return raced.winner
    if (raced) from = raced.hedged ? 2 : 1
  }
  const held: Candidate[] = []
  for (let index = from; index < ready; index++) {
    const candidate = candidates[index] as Candidate
    // The plan is fresh for its first candidate; the others may have begun to rest since.
    if ((index > 0 || !planned) && rests(candidate, run)) {
      held.push(candidate)
      continue
    }
    if (!worthwhile(candidate, run)) continue
    if (run.attempts > 0) run.budget?.take()
    const delivered = await attemptOn(candidate, run, false)
    if (delivered) return planned && index === 0 && order.why ? { ...delivered, why: order.why } : delivered
  }
  // Nothing is left but what rests: better to call that than nothing, once, and more often only from the budget.
  for (const candidate of [...held, ...candidates.slice(ready)]) {
    if (!worthwhile(candidate, run) || isLimitedToo(candidate, run)) continue
    if (run.attempts > 0 && run.budget && !run.budget.take()) break
    const delivered = await attemptOn(candidate, run, true)
    if (delivered) return { ...delivered, why: 'panic: every target rests' }
  }
  throw lastWord(candidates, run)
}

/** Both at their own time; undefined when there is nothing to go by. */
async function hedged(first: Candidate, second: Candidate, run: Run): Promise<Finish<Delivered> | undefined> {
  const { inquiry, exchange, upstreams, budget } = run
  const usual = healthOf(first, run)?.quantileMs(0.95, run.inputTokens, inquiry.streamed, nowOf(upstreams))
  if (usual === undefined || !mayHedge(inquiry)) return undefined
  const side =
    (candidate: Candidate, why?: string): Runner<Delivered> =>
    async (cancellation) => {
      const own: Run = { ...run, cancellation }
      try {
        const delivered = await attemptOn(candidate, own, false)
        return delivered && why ? { ...delivered, why } : delivered
      } finally {
        run.attempts += own.attempts
        run.last ??= own.last
        run.tooLongFor ??= own.tooLongFor
      }
    }
  const finish = await race({
    whole: exchange.cancellation,
    first: side(first),
    second: side(second, `${first.provider} was slow`),
    afterMs: Math.max(1, usual),
    go: () => !rests(second, run) && budget?.takeHedge() === true,
  })
  if (finish.hedged && finish.winner) {
    // What the loser was sent is paid for all the same.
    const candidate = finish.winner.candidate === first ? second : first
    exchange.legs = [...(exchange.legs ?? []), { candidate, usage: { input: run.inputTokens, output: 0, estimated: true } }]
  }
  return finish
}

/** Direct calls share a budget by provider: one that is down uses up no other's. */
const budgetName = ({ route }: Exchange, first: Candidate | undefined): string =>
  route === undefined || route === 'direct' ? `direct ${first?.provider}` : route

const rests = (candidate: Candidate, run: Run): boolean => healthOf(candidate, run)?.standing(nowOf(run.upstreams)) === 'resting'

const remainingMs = ({ limitMs, exchange }: Run): number => limitMs - elapsed(exchange)

/** One 429 is enough: another target that waits for its rate limit would say the same. */
const isLimitedToo = (candidate: Candidate, run: Run): boolean =>
  run.last?.id === 'upstream-rate-limited' && healthOf(candidate, run)?.limitedMs(nowOf(run.upstreams)) !== undefined

/** Whether an attempt here could still help. */
function worthwhile(candidate: Candidate, run: Run): boolean {
  if (run.tooLongFor && !isLarger(candidate, run.tooLongFor, run)) return false
  if (run.attempts === 0 || run.limitMs === Number.POSITIVE_INFINITY) return true
  // An answer that would come after the deadline helps nobody.
  const usual = healthOf(candidate, run)?.quantileMs(0.5, run.inputTokens, run.inquiry.streamed, nowOf(run.upstreams))
  return usual === undefined || usual < remainingMs(run)
}

/** For input that did not fit: surely larger, or another model that nobody knows the size of. */
function isLarger(candidate: Candidate, than: Candidate, { inquiry }: Run): boolean {
  const sizeOf = (one: Candidate): number | undefined => one.on(wireFor(one, inquiry.wire)).capabilities.contextWindow
  const [size, failed] = [sizeOf(candidate), sizeOf(than)]
  if (size === undefined || failed === undefined) return candidate.model !== than.model
  return size > failed
}

/** A target that never got the call says less than one that answered. */
const moreTelling = (earlier: GatewayError | undefined, later: GatewayError): GatewayError =>
  earlier && (later.id === 'untranslatable' || later.id === 'lossy-translation') ? earlier : later

/** Undefined: it failed, and another target may be tried. Throws when none may. `forced`: it is called although it rests. */
async function attemptOn(candidate: Candidate, run: Run, forced: boolean): Promise<Delivered | undefined> {
  const { inquiry, upstreams } = run
  const provider = providerFor(candidate, run.exchange, upstreams)
  const wire = upstreams.wires.get(wireFor(candidate, inquiry.wire))
  if (!provider || !wire) {
    const why = `The provider \`${candidate.provider}\` cannot be called: its wire is not spoken yet.`
    run.last ??= new GatewayError('no-eligible-target', why)
    return undefined
  }
  const health = healthOf(candidate, run)
  const keysHealth = provider.ownKeys ? undefined : health
  const usedKeys: number[] = []
  let key = nextKey(keysHealth, provider.keyCount, usedKeys, forced, nowOf(upstreams))
  // The last key has begun to rest since the plan was made.
  if (key === undefined) key = nextKey(keysHealth, provider.keyCount, usedKeys, true, nowOf(upstreams)) ?? 0
  let tries = 0
  for (;;) {
    const { keysVersion } = provider
    try {
      return await attempt(candidate, wire, provider, key, health, run)
    } catch (error) {
      const fault = gatewayErrorOf(error)
      run.last = moreTelling(run.last, fault)
      if (run.cancellation.cancelled) throw gatewayErrorOf(run.cancellation.reason)
      tries++
      // Its successor stands at the same place.
      if (outdated(fault, provider, keysVersion) && tries < MAX_ROTATIONS) {
        usedKeys.length = 0
        continue
      }
      const now = nowOf(upstreams)
      usedKeys.push(key)
      const another: number | undefined = forced ? undefined : nextKey(keysHealth, provider.keyCount, usedKeys, false, now)
      const next = nextStep({
        fault,
        tries,
        attempts: candidate.attempts,
        anotherKey: another !== undefined,
        failing: forced || health?.failing(now) === true,
        remainingMs: remainingMs(run),
        usualMs: health?.quantileMs(0.5, run.inputTokens, inquiry.streamed, now),
        random: upstreams.health?.random ?? Math.random,
        mayRetry: () => run.budget?.take() ?? true,
      })
      switch (next.step) {
        case 'key':
          key = another ?? key
          continue
        case 'same':
          usedKeys.pop()
          await pause(next.afterMs, run.cancellation)
          if (run.cancellation.cancelled) throw gatewayErrorOf(run.cancellation.reason)
          continue
        case 'target':
          return undefined
        case 'larger':
          run.tooLongFor = candidate
          return undefined
        case 'lenient':
          if (candidate.lenient) return undefined
          throw run.last
        case 'stop':
          throw run.last
      }
    }
  }
}

/** The fault that the caller gets. When everything waits for rate limits, it hears when the first of them is free. */
function lastWord(candidates: readonly Candidate[], run: Run): GatewayError {
  const { last, upstreams } = run
  if (!last) return new GatewayError('no-eligible-target', 'The route has no target.', { shouldRetry: false })
  if (last.id !== 'upstream-rate-limited') return last
  const now = nowOf(upstreams)
  let soonest = last.retryAfterMs
  for (const candidate of candidates) {
    const rest = healthOf(candidate, run)?.limitedMs(now)
    if (rest === undefined) return last
    if (soonest === undefined || rest < soonest) soonest = rest
  }
  if (soonest === last.retryAfterMs) return last
  const { id, message, path, status, providerCode, upstreamStatus } = last
  const told = new ProviderFault(id, message, { path, status, providerCode, upstreamStatus, retryAfterMs: soonest, cause: last })
  if (last instanceof ProviderFault) {
    told.body = last.body
    told.headers = last.headers
  }
  return told
}

/** Another request to the target that answered, for a reply that has to be continued. Its answer is read as events. */
export async function sendAgain(
  { candidate, wire, prepared }: Delivered,
  body: JsonObject,
  inquiry: Inquiry,
  exchange: Exchange,
  upstreams: Upstreams,
): Promise<EventStream> {
  const provider = providerFor(candidate, exchange, upstreams)
  const attempt: Attempt = { provider: candidate.provider, model: candidate.model, wire: wire.id, startedMs: elapsed(exchange), sent: true }
  exchange.attempts.push(attempt)
  const answer = await answerOf({
    transport: upstreams.transportOf(candidate.provider),
    wire,
    prepared: { ...prepared, request: { ...prepared.request, body: JSON.stringify(body) } },
    streamed: inquiry.streamed,
    count: false,
    timeouts: candidate.timeouts,
    limits: upstreams.limits,
    cancellation: exchange.cancellation,
    scrub: provider?.scrubbed ?? ((text) => text),
  })
  attempt.endedMs = elapsed(exchange)
  if (answer.kind === 'event-stream') return answer.stream
  if (answer.kind === 'reply') return replay(answer.reply)
  throw new GatewayError('internal', 'A continued reply came back in another form.')
}
