/**
 * Asks a second target when the first is slower than it usually is, and takes what comes first. The loser is cancelled; what
 * it was sent is paid for.
 */
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import type { Inquiry } from '../core/inquiry.ts'
import { arrayOf } from '../core/json.ts'

/** A call with tools may do something, so it is not sent twice. */
export const mayHedge = ({ op, json }: Pick<Inquiry, 'op' | 'json'>): boolean =>
  op === 'chat' && arrayOf(json['tools']).length === 0 && arrayOf(json['functions']).length === 0

/** Why the slower one was cut off. */
export const lostRace = new GatewayError('client-closed', 'Another target answered first.')

/** One of the two. Resolves to undefined when it has failed and another may be tried; throws when none may. */
export type Runner<T> = (cancellation: Cancellation) => Promise<T | undefined>

export interface Race<T> {
  readonly whole: Cancellation
  readonly first: Runner<T>
  readonly second: Runner<T>
  /** What the first usually needs at most. */
  readonly afterMs: number
  /** Asked when that time has passed. False: the second one is not sent. */
  go(): boolean
}

export interface Finish<T> {
  readonly winner: T | undefined
  /** Both were asked. */
  readonly hedged: boolean
}

export async function race<T>({ whole, first, second, afterMs, go }: Race<T>): Promise<Finish<T>> {
  const one = started(first, whole)
  const waited = await within(one.result, afterMs)
  if (waited !== SLOW || !go()) return { winner: await one.result, hedged: false }
  const other = started(async (cancellation) => {
    try {
      return await second(cancellation)
    } catch (error) {
      // What the second target refuses, the first may still answer.
      if (whole.cancelled) throw error
      return undefined
    }
  }, whole)
  try {
    const quicker = await Promise.race([
      one.result.then((result) => [one, result] as const),
      other.result.then((result) => [other, result] as const),
    ])
    const [runner, result] = quicker
    const slower = runner === one ? other : one
    if (result === undefined) return { winner: await slower.result, hedged: true }
    slower.cancel()
    return { winner: result, hedged: true }
  } catch (error) {
    one.cancel()
    other.cancel()
    throw error
  }
}

const SLOW = Symbol('slow')

async function within<T>(result: Promise<T>, ms: number): Promise<T | typeof SLOW> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const slow = new Promise<typeof SLOW>((resolve) => {
    timer = setTimeout(resolve, ms, SLOW)
  })
  try {
    return await Promise.race([result, slow])
  } finally {
    clearTimeout(timer)
  }
}

function started<T>(run: Runner<T>, whole: Cancellation): { readonly result: Promise<T | undefined>; cancel(): void } {
  const own = new Cancellation()
  // Stays for the winner's stream: who hangs up then is still heard.
  whole.onCancel((reason) => own.cancel(reason))
  const result = run(own)
  // A loser's end is nobody's concern.
  result.catch(() => {})
  return { result, cancel: () => own.cancel(lostRace) }
}
