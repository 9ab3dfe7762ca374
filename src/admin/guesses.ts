/**
 * Credentials that nobody knows, by the address they come from. Ten different ones a minute are a guess at a key: from then on, others that
 * nobody knows are told to wait. Good ones never are, since they are looked at first. A script that goes on with one stale key guesses nothing.
 */
import { createHash } from 'node:crypto'
import { parseAddress } from '../core/address.ts'
import { GatewayError } from '../core/error.ts'

export interface GuessesOptions {
  /** Different credentials in a minute. Default 10. */
  readonly different?: number
  /** Failures in a minute, the same credential again included. Default 1 000. */
  readonly failures?: number
  /** Addresses that are remembered. Default 10 000. */
  readonly addresses?: number
  readonly now?: () => number
}

export interface Guesses {
  /** One more failure. What to answer instead of 401, where there were too many. */
  failed(address: string | undefined, credential: string): GatewayError | undefined
}

interface Place {
  readonly until: number
  count: number
  /** A few bits of the digest of each credential, which lead back to none. */
  readonly seen: number[]
}

const MINUTE_MS = 60_000

export function createGuesses({ different = 10, failures = 1_000, addresses = 10_000, now = Date.now }: GuessesOptions = {}): Guesses {
  const places = new Map<string, Place>()

  function placeOf(network: string): Place {
    const known = places.get(network)
    if (known && known.until > now()) return known
    places.delete(network)
    if (places.size >= addresses) {
      const [oldest = ''] = places.keys()
      places.delete(oldest)
    }
    const place = { until: now() + MINUTE_MS, count: 0, seen: [] }
    places.set(network, place)
    return place
  }

  return {
    failed(address, credential) {
      const place = placeOf(networkOf(address))
      place.count++
      const mark = createHash('sha256').update(credential).digest().readUIntBE(0, 6)
      const again = place.seen.includes(mark)
      if (place.count <= failures) {
        if (again) return undefined
        if (place.seen.length < different) {
          place.seen.push(mark)
          return undefined
        }
      }
      return new GatewayError('rate-limited', 'Too many keys that are not known came from this address: try again later.', {
        retryAfterMs: Math.max(1, place.until - now()),
        shouldRetry: false,
      })
    },
  }
}

/** Whoever has one address of IPv6 has 2^64 of them. */
export function networkOf(address: string | undefined): string {
  const parsed = address === undefined ? undefined : parseAddress(address)
  if (address === undefined || parsed === undefined) return 'unknown'
  return parsed >> 32n === 0xffffn ? String(parsed) : `${(parsed >> 64n).toString(16)}/64`
}
