/** A stream's body as it arrives: held until its first output is there, then handed on, watched, and judged at its end. */
import { GatewayError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import { restorer } from '../wire/restore.ts'
import type { ReplyDecoder, StreamTap } from '../wire/wire.ts'
import type { ByteStream, EventStream, Sending } from './answer.ts'
import { cleaned } from './fault.ts'
import { holdBack } from './hold.ts'
import type { Watchdog } from './watchdog.ts'

export type Source = AsyncIterator<Uint8Array>

/** Told of a stream that its reader left before the end. Only the first word counts, so others may have been said before. */
const leftEarly = new GatewayError('client-closed', 'The reader left before the end.')

/** A stream's body on its way in. */
export interface Arrival {
  readonly first: Uint8Array | undefined
  readonly source: Source
  readonly sending: Sending
  readonly watchdog: Watchdog
  /** Lets go of the connection and the timer. */
  done(): void
}

/** A provider that has said its last word and does not close is not waited for any longer. */
const CLOSE_MS = 5_000

export async function byteStream({ first, source, sending, watchdog, done }: Arrival, tap: StreamTap): Promise<ByteStream> {
  const { idleMs } = sending.timeouts
  const ready: Uint8Array[] = []
  let size = 0
  const take = (bytes: Uint8Array | undefined): boolean => {
    const out = bytes ? tap.push(bytes) : tap.end()
    if (out) {
      ready.push(out)
      size += out.length
      if (size > sending.limits.event) throw tooLong()
    }
    if (tap.error) throw tap.error
    return bytes === undefined
  }
  let ended = take(first)
  while (!ended && !tap.started) {
    const next = await source.next()
    ended = take(next.done ? undefined : next.value)
  }
  if (tap.finished && tap.summary.outputs === 0 && tap.summary.finish === undefined)
    throw new GatewayError('upstream-invalid', "The provider's stream ended before it began.")
  watchdog.restart(tap.finished ? Math.min(idleMs, CLOSE_MS) : idleMs)
  let pending: Promise<IteratorResult<Uint8Array>> | undefined
  if (sending.timeouts.holdMs && !ended && !tap.finished) {
    const held = await holdBack(
      source,
      sending.timeouts,
      (piece) => take(piece.done ? undefined : piece.value) || tap.finished,
      () => tap.summary.outputs,
    )
    pending = held.pending
    ended = held.ended && !tap.finished
  }
  return {
    tap,
    fail: (fault) => sending.ended?.(fault),
    async *[Symbol.asyncIterator]() {
      watchdog.awaited = false
      try {
        for (const bytes of ready) yield bytes
        let { outputs } = tap.summary
        let { finished } = tap
        while (!ended) {
          watchdog.awaited = true
          const next = await (pending ?? source.next())
          pending = undefined
          watchdog.awaited = false
          const out = next.done ? tap.end() : tap.push(next.value)
          ended = next.done === true
          if (out) yield out
          if (tap.error) throw tap.error
          if (tap.finished && !finished) watchdog.restart(Math.min(idleMs, CLOSE_MS))
          else if (tap.summary.outputs !== outputs) watchdog.touch()
          outputs = tap.summary.outputs
          finished = tap.finished
        }
        sending.ended?.()
      } catch (error) {
        // What breaks after the stream's own ending takes nothing away.
        if (!tap.finished || tap.error || sending.cancellation.cancelled) {
          const fault = cleaned(error, sending)
          sending.ended?.(fault)
          throw fault
        }
        sending.ended?.()
      } finally {
        done()
        sending.ended?.(tap.finished ? undefined : leftEarly)
      }
    },
  }
}

const tooLong = (): GatewayError => new GatewayError('upstream-invalid', 'The provider sent much, and no output.')

/** Batches without output before the first output; providers send one to three. */
const MAX_READY = 1_000

export async function eventStream({ first, source, sending, watchdog, done }: Arrival, decoder: ReplyDecoder): Promise<EventStream> {
  const { prepared, timeouts } = sending
  const undo = prepared.restore ? restorer(prepared.restore) : undefined
  const decode = (bytes: Uint8Array | undefined): readonly Event[] => {
    const events = bytes ? decoder.push(bytes) : decoder.end()
    return undo ? undo.push(events) : events
  }
  const ready: (readonly Event[])[] = []
  let ended = first === undefined
  let events = decode(first)
  for (;;) {
    const failed = events.find((event) => event.type === 'error')
    if (failed) throw failed.error
    if (events.length > 0) ready.push(events)
    if (events.some(carriesOutput) || ended) break
    if (ready.length > MAX_READY) throw tooLong()
    const next = await source.next()
    ended = next.done === true
    events = decode(next.done ? undefined : next.value)
  }
  if (isEmpty(ready)) throw new GatewayError('upstream-invalid', "The provider's stream ended before it began.")
  watchdog.restart(timeouts.idleMs)
  let pending: Promise<IteratorResult<Uint8Array>> | undefined
  if (timeouts.holdMs && !ended) {
    const held = await holdBack(
      source,
      timeouts,
      ({ done, value }) => {
        ended = done === true
        const batch = decode(ended ? undefined : value)
        const failed = batch.find((event) => event.type === 'error')
        if (failed) throw failed.error
        if (batch.length > 0) ready.push(batch)
        return ended || batch.some(isEnd)
      },
      () => ready.reduce((sum, batch) => sum + batch.filter(carriesOutput).length, 0),
    )
    pending = held.pending
  }
  return eventsOf()

  async function* eventsOf(): AsyncGenerator<readonly Event[]> {
    let over = false
    const note = (batch: readonly Event[]): void => {
      if (over) return
      over = batch.some(isEnd)
      if (over) watchdog.restart(Math.min(timeouts.idleMs, CLOSE_MS))
      else watchdog.touch()
    }
    watchdog.awaited = false
    try {
      for (const batch of ready) {
        yield batch
        note(batch)
      }
      while (!ended) {
        watchdog.awaited = true
        const next = await (pending ?? source.next())
        pending = undefined
        watchdog.awaited = false
        ended = next.done === true
        const batch = decode(next.done ? undefined : next.value)
        if (batch.length === 0) continue
        const failed = batch.find((event) => event.type === 'error')
        if (failed) sending.ended?.(failed.error)
        yield failed ? batch.map((event) => (event.type === 'error' ? { ...event, error: cleaned(event.error, sending) } : event)) : batch
        if (failed) return
        note(batch)
      }
      sending.ended?.()
    } catch (error) {
      // It may have said how it ends, with only its last mark missing.
      const last = over || sending.cancellation.cancelled ? [] : decode(undefined)
      if (last.some(isEnd)) {
        over = true
        yield last
      }
      if (!over || sending.cancellation.cancelled) {
        const fault = cleaned(error, sending)
        sending.ended?.(fault)
        throw fault
      }
      sending.ended?.()
    } finally {
      done()
      sending.ended?.(over ? undefined : leftEarly)
    }
  }
}

/** An ending that gives no reason, behind nothing at all. */
const isEmpty = (batches: readonly (readonly Event[])[]): boolean => {
  const events = batches.length <= 2 ? batches.flat() : []
  const end = events.at(-1)
  return (
    end?.type === 'reply-end' &&
    end.raw === undefined &&
    events.every(({ type }) => type === 'reply-start' || type === 'usage' || type === 'reply-end')
  )
}

const isEnd = (event: Event): boolean => event.type === 'reply-end'

const carriesOutput = (event: Event): boolean =>
  event.type === 'text-delta' || event.type === 'part-start' || event.type === 'part-whole' || event.type === 'reply-end'
