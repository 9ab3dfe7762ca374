/**
 * Refusals of which there are thousands a second just when time is short: written once for each dialect, and then again and again with
 * another request id.
 */
import type { WireId } from '../core/call.ts'
import type { GatewayError } from '../core/error.ts'
import type { Headers } from '../core/http.ts'
import { newId } from '../core/id.ts'

export interface BriefRefusal {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export interface BriefRefusals {
  of(dialect: WireId, error: GatewayError): BriefRefusal
}

interface Written {
  readonly status: number
  readonly headers: Readonly<Headers>
  /** The body, without the id that stands between them. */
  readonly pieces: readonly string[]
  readonly until: number
}

/** For so long the same `retry-after` will do. */
const HOLDS_MS = 100
const ID = 'req_0000000000000000000000'

/** `write` makes the whole refusal, for a request of this id. */
export function briefRefusals(
  write: (
    dialect: WireId,
    error: GatewayError,
    id: string,
  ) => { readonly status: number; readonly headers: Headers; readonly body: string },
  now: () => number = () => performance.now(),
): BriefRefusals {
  const written = new Map<string, Written>()

  function again(dialect: WireId, error: GatewayError): Written {
    const key = `${dialect} ${error.id}`
    const known = written.get(key)
    const at = now()
    if (known && known.until > at) return known
    const { status, headers, body } = write(dialect, error, ID)
    const fresh = { status, headers, pieces: body.split(ID), until: at + HOLDS_MS }
    written.set(key, fresh)
    return fresh
  }

  return {
    of(dialect, error) {
      const { status, headers, pieces } = again(dialect, error)
      const id = newId('req_')
      return {
        status,
        headers: { ...headers, 'x-signalbox-request-id': id },
        body: pieces.length === 1 ? (pieces[0] ?? '') : pieces.join(id),
      }
    },
  }
}
