/**
 * Goes on where a provider paused (`pause_turn`, `CONTINUATION`), for callers whose dialect has no such thing: the reply
 * is asked to continue, and all its legs are one reply to the caller, with their usage added up.
 */
import { type Event, type ReplyEnd, sumUsage, type Usage } from '../core/event.ts'
import { Fold, type FoldedReply } from '../core/fold.ts'
import type { JsonObject } from '../core/json.ts'
import type { Wire } from '../wire/wire.ts'
import type { EventStream } from './answer.ts'

/** A provider that never stops pausing is stopped here. */
const MAX_LEGS = 16

export interface Legs {
  readonly wire: Wire
  readonly body: JsonObject
  /** Sends a body to the same target and reads its answer to the end. */
  again(body: JsonObject): Promise<EventStream>
}

/** A plain reply with all its legs. */
export async function followReply(first: FoldedReply, legs: Legs): Promise<FoldedReply> {
  if (first.end?.finish !== 'pause') return first
  const folding = new Fold()
  for await (const events of followStream(replay(first), legs)) folding.push(events)
  return folding.reply
}

export async function* followStream(first: EventStream, legs: Legs): AsyncGenerator<readonly Event[]> {
  let stream = first
  let body = legs.body
  let offset = 0
  let earlier: Usage | undefined
  let before: FoldedReply | undefined
  for (let leg = 0; ; leg++) {
    const folding = new Fold()
    let highest = -1
    let pause: ReplyEnd | undefined
    // A leg that only says again what the last one said goes no further: it is held until it differs.
    let held: (readonly Event[])[] | undefined = before ? [] : undefined
    for await (const events of stream) {
      folding.push(events)
      const out: Event[] = []
      for (const event of events) {
        if (event.type === 'reply-start' && leg > 0) continue
        if (event.type === 'reply-end' && event.finish === 'pause' && legs.wire.continueBody) {
          pause = event
          continue
        }
        if ('index' in event) highest = Math.max(highest, event.index)
        out.push(shifted(event, offset, earlier))
      }
      if (held && before && !pause && !saysAgain(folding.reply, before)) {
        for (const batch of held) yield batch
        held = undefined
      }
      if (held) held.push(out)
      else if (out.length > 0) yield out
    }
    if (!pause) {
      if (held) for (const batch of held) yield batch
      return
    }
    const next = leg < MAX_LEGS && !held ? legs.wire.continueBody?.(body, folding.reply) : undefined
    if (!next) {
      // What was said twice was paid twice.
      const usage = held && sumUsage(earlier, folding.reply.usage)
      yield usage ? [{ type: 'usage', usage }, pause] : [pause]
      return
    }
    earlier = sumUsage(earlier, folding.reply.usage)
    offset += highest + 1
    before = folding.reply
    body = next
    stream = await legs.again(next)
  }
}

/** Whether a reply has said nothing so far but what another one said. */
function saysAgain(now: FoldedReply, before: FoldedReply): boolean {
  return now.parts.every((part, index) => {
    const other = before.parts[index]
    if (!other || other.kind !== part.kind) return false
    if (part.kind === 'whole' || other.kind === 'whole') return part.kind === other.kind
    return other.text.startsWith(part.text)
  })
}

function shifted(event: Event, offset: number, earlier: Usage | undefined): Event {
  if (event.type === 'usage') return { type: 'usage', usage: sumUsage(earlier, event.usage) ?? {} }
  return offset > 0 && 'index' in event ? { ...event, index: event.index + offset } : event
}

/** A folded reply as the events it came from. */
export async function* replay(reply: FoldedReply): AsyncGenerator<readonly Event[]> {
  yield [...eventsOf(reply)]
}

export function* eventsOf({ id, model, created, parts, usage, end, error }: FoldedReply): Generator<Event> {
  yield { type: 'reply-start', id, model, created }
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'whole') {
      yield { type: 'part-whole', index, part: part.part }
      continue
    }
    const { kind, name, namespace, freeform, summary } = part
    yield { type: 'part-start', index, kind, id: part.id, name, namespace, freeform, summary }
    if (part.text !== '') yield { type: 'text-delta', index, text: part.text }
    for (const citation of part.citations) yield { type: 'part-citation', index, citation }
    if (part.logprobs.length > 0) yield { type: 'part-logprobs', index, logprobs: part.logprobs }
    for (const sealed of part.sealed) yield { type: 'part-sealed', index, sealed }
    yield { type: 'part-end', index }
  }
  if (usage) yield { type: 'usage', usage }
  if (error) yield { type: 'error', error }
  else if (end) yield end
}
