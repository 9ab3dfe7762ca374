/** What is written down of an answer while it passes: where it comes from, what it used, how it ended. */
import { type Event, mergeUsage } from '../core/event.ts'
import { type Exchange, elapsed } from '../core/exchange.ts'
import type { ReplySummary } from '../wire/wire.ts'
import type { Delivered } from './attempts.ts'

/** Where the answer comes from, and why. */
export function chosen({ candidate, wire, prepared, why }: Delivered, exchange: Exchange): void {
  exchange.candidate = candidate
  exchange.wire = wire.id
  exchange.drops = prepared.drops
  exchange.firstMs = elapsed(exchange)
  const failed = exchange.attempts.filter(({ fault }) => fault !== undefined)
  const fallback =
    failed.length === 0 ? undefined : `fallback after ${failed.map(({ provider, fault }) => `${provider} ${fault}`).join(' ')}`
  const decided = exchange.decision?.reason
  // What routing says holds the plan's reason too; what the attempts found out on the way is told instead.
  const choice = fallback || (why !== undefined && !decided?.startsWith(why)) ? why : (decided ?? 'first-choice')
  exchange.reason = [choice, fallback].filter(Boolean).join('; ').slice(0, 200)
  const waited = exchange.attempts.reduce((sum, { startedMs, endedMs = startedMs }) => sum + endedMs - startedMs, 0)
  exchange.overheadMs = Math.max(0, exchange.firstMs - waited)
}

/** What a tap saw of an answer whose bytes pass untouched. */
export function noteSummary({ model, finish, usage, characters }: ReplySummary, exchange: Exchange): void {
  exchange.upstreamModel = model
  exchange.finish = finish
  exchange.usage = usage
  exchange.outputCharacters = characters
}

/** What the events of an answer tell. */
export function noteEvents(events: readonly Event[], exchange: Exchange): void {
  for (const event of events) {
    switch (event.type) {
      case 'text-delta':
        exchange.outputCharacters += event.text.length
        break
      case 'reply-start':
        exchange.upstreamModel = event.model
        if (event.usage) exchange.usage = event.usage
        break
      case 'usage':
        exchange.usage = mergeUsage(exchange.usage, event.usage)
        break
      case 'reply-end':
        exchange.finish = event.finish
        break
      case 'error':
        exchange.error = event.error
        break
    }
  }
}
