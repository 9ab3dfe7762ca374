/** Everything that can go wrong, in one table: what it is called, what the caller sees, and what may be tried next. */
import type { JsonObject } from './json.ts'

export interface Fault {
  /** The code callers see. */
  readonly code: string
  readonly status: number
  /** Whose doing it is. */
  readonly whose: 'caller' | 'provider' | 'gateway'
  /**
   * What the attempt loop may do before the first event: try the `same` target again, go on to the `next` key or target
   * at once, or `never` send this call again.
   */
  readonly retry: 'same' | 'next' | 'never'
  /** One sentence for the reference page. */
  readonly meaning: string
}

export const faults = {
  'invalid-request': {
    code: 'invalid_request',
    status: 400,
    whose: 'caller',
    retry: 'never',
    meaning: 'The request is not valid for its dialect. The path says where.',
  },
  'lossy-translation': {
    code: 'lossy_translation',
    status: 400,
    whose: 'caller',
    retry: 'next',
    meaning: 'Strict mode: the provider cannot be told everything that the request says.',
  },
  untranslatable: {
    code: 'untranslatable',
    status: 400,
    whose: 'caller',
    retry: 'next',
    meaning: 'The request holds something that no translation to this provider can carry.',
  },
  'no-eligible-target': {
    code: 'no_eligible_target',
    status: 400,
    whose: 'caller',
    retry: 'never',
    meaning: 'No target of the route can serve this request. The message says why for each.',
  },
  unauthenticated: {
    code: 'unauthenticated',
    status: 401,
    whose: 'caller',
    retry: 'never',
    meaning: 'No gateway key, or one that is not known.',
  },
  'budget-exceeded': {
    code: 'budget_exceeded',
    status: 402,
    whose: 'caller',
    retry: 'never',
    meaning: 'A budget that applies to this call is used up.',
  },
  forbidden: { code: 'forbidden', status: 403, whose: 'caller', retry: 'never', meaning: 'The key may not do this.' },
  'guard-blocked': {
    code: 'guard_blocked',
    status: 403,
    whose: 'caller',
    retry: 'never',
    meaning: 'A guardrail stopped the request or its answer.',
  },
  'unknown-model': {
    code: 'unknown_model',
    status: 404,
    whose: 'caller',
    retry: 'never',
    meaning: 'No route and no configured provider answers to this model name.',
  },
  'not-found': { code: 'not_found', status: 404, whose: 'caller', retry: 'never', meaning: 'There is nothing at this path.' },
  'method-not-allowed': {
    code: 'method_not_allowed',
    status: 405,
    whose: 'caller',
    retry: 'never',
    meaning: 'The path exists, but not for this method.',
  },
  'idempotency-conflict': {
    code: 'idempotency_conflict',
    status: 409,
    whose: 'caller',
    retry: 'never',
    meaning: 'Another call with this `Idempotency-Key` is still running.',
  },
  'idempotency-mismatch': {
    code: 'idempotency_mismatch',
    status: 422,
    whose: 'caller',
    retry: 'never',
    meaning: 'This `Idempotency-Key` came with another request before.',
  },
  'too-large': {
    code: 'too_large',
    status: 413,
    whose: 'caller',
    retry: 'never',
    meaning: 'The request body is larger than `server.limits.body`, as sent or after decompression.',
  },
  'unsupported-media-type': {
    code: 'unsupported_media_type',
    status: 415,
    whose: 'caller',
    retry: 'never',
    meaning: 'The body is not JSON, or its content encoding is not known.',
  },
  'upgrade-required': {
    code: 'upgrade_required',
    status: 426,
    whose: 'caller',
    retry: 'never',
    meaning: 'WebSocket is not served on this path: use HTTP.',
  },
  'rate-limited': {
    code: 'rate_limited',
    status: 429,
    whose: 'caller',
    retry: 'never',
    meaning: 'Too many requests. `retry-after` says when to come back.',
  },
  'client-closed': {
    code: 'client_closed',
    status: 499,
    whose: 'caller',
    retry: 'never',
    meaning: 'The caller hung up before the answer was complete.',
  },
  internal: { code: 'internal', status: 500, whose: 'gateway', retry: 'never', meaning: 'A fault of the gateway itself.' },
  'not-supported': {
    code: 'not_supported',
    status: 501,
    whose: 'gateway',
    retry: 'never',
    meaning: 'The endpoint exists in this dialect but is not offered by this provider or gateway.',
  },
  overloaded: {
    code: 'overloaded',
    status: 503,
    whose: 'gateway',
    retry: 'never',
    meaning: 'The gateway is at its limits. `retry-after` says when to come back.',
  },
  conflict: {
    code: 'conflict',
    status: 409,
    whose: 'caller',
    retry: 'never',
    meaning: 'Somebody else changed it meanwhile, or its name is taken.',
  },
  'store-unavailable': {
    code: 'store_unavailable',
    status: 503,
    whose: 'gateway',
    retry: 'never',
    meaning: 'The gateway cannot reach its own store, so it cannot tell whether this is allowed.',
  },
  'shutting-down': { code: 'overloaded', status: 503, whose: 'gateway', retry: 'never', meaning: 'The gateway is stopping.' },

  'upstream-rejected': {
    code: 'upstream_rejected',
    status: 400,
    whose: 'caller',
    retry: 'never',
    meaning: 'The provider refused the request as invalid. Its status and words are kept (400, 413, 422).',
  },
  'upstream-not-found': {
    code: 'upstream_not_found',
    status: 404,
    whose: 'caller',
    retry: 'next',
    meaning: 'The provider does not know the model. Its words are kept.',
  },
  'upstream-rate-limited': {
    code: 'rate_limited',
    status: 429,
    whose: 'provider',
    retry: 'next',
    meaning: "The provider's rate limit is reached. Its words and `retry-after` are kept.",
  },
  'upstream-credential': {
    code: 'upstream_unavailable',
    status: 502,
    whose: 'gateway',
    retry: 'next',
    meaning: "The provider refused the gateway's credential (its 401, 402 or 403).",
  },
  'upstream-failed': {
    code: 'upstream_unavailable',
    status: 502,
    whose: 'provider',
    retry: 'same',
    meaning: 'The provider answered with a server error.',
  },
  'upstream-unreachable': {
    code: 'upstream_unavailable',
    status: 502,
    whose: 'provider',
    retry: 'same',
    meaning: 'No connection to the provider, or it broke.',
  },
  'upstream-invalid': {
    code: 'upstream_invalid',
    status: 502,
    whose: 'provider',
    retry: 'same',
    meaning: "The provider's answer could not be read: not its wire's shape, too large, or cut short.",
  },
  'upstream-overloaded': {
    code: 'overloaded',
    status: 503,
    whose: 'provider',
    retry: 'same',
    meaning: 'The provider says it is overloaded (its 503 or 529).',
  },
  'upstream-timeout': {
    code: 'upstream_timeout',
    status: 504,
    whose: 'provider',
    retry: 'next',
    meaning: 'The provider did not answer within a timeout of the route.',
  },
  deadline: {
    code: 'upstream_timeout',
    status: 504,
    whose: 'provider',
    retry: 'never',
    meaning: 'The call as a whole took longer than `timeouts.total` or the caller allowed.',
  },
} as const satisfies Record<string, Fault>

export type FaultId = keyof typeof faults

export interface GatewayErrorOptions {
  /** Where in the caller's body, as `messages[2].content`. */
  readonly path?: string
  /** Another status than the table's: the provider's own, where it is kept. */
  readonly status?: number
  readonly retryAfterMs?: number
  /** The provider's own error code or type, for callers that read it. */
  readonly providerCode?: string
  /** The provider's own status, whatever the caller sees. */
  readonly upstreamStatus?: number
  /** False: the caller's SDK must not retry by itself. */
  readonly shouldRetry?: boolean
  /** The request never reached the provider: no connection stood. */
  readonly unsent?: boolean
  /** What the caller's SDK reads beside the code, in the words of its dialect. */
  readonly details?: JsonObject
  /** Methods that the path does have, for a 405. */
  readonly allow?: string
  readonly cause?: unknown
}

/** The one error of the gateway. Callers look at `id` or `fault`, never at the message. */
export class GatewayError extends Error {
  readonly id: FaultId
  readonly path: string | undefined
  readonly status: number
  readonly retryAfterMs: number | undefined
  readonly providerCode: string | undefined
  readonly upstreamStatus: number | undefined
  readonly shouldRetry: boolean | undefined
  readonly unsent: boolean
  readonly allow: string | undefined
  readonly details: JsonObject | undefined

  constructor(
    id: FaultId,
    message: string,
    {
      path,
      status,
      retryAfterMs,
      providerCode,
      upstreamStatus,
      shouldRetry,
      unsent = false,
      allow,
      details,
      cause,
    }: GatewayErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'GatewayError'
    this.id = id
    this.path = path
    this.status = status ?? faults[id].status
    this.retryAfterMs = retryAfterMs
    this.providerCode = providerCode
    this.upstreamStatus = upstreamStatus
    this.shouldRetry = shouldRetry
    this.unsent = unsent
    this.allow = allow
    this.details = details
  }

  get fault(): Fault {
    return faults[this.id]
  }
  get code(): string {
    return faults[this.id].code
  }
}

/** Whatever was thrown, as a GatewayError. What nobody expected is `internal`, and says nothing of the inside. */
export function gatewayErrorOf(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  return new GatewayError('internal', 'The gateway failed to handle this request.', { cause: thrown })
}

/** Fault of a request: says what is wrong, and where. */
export const invalid = (message: string, path?: string): GatewayError =>
  new GatewayError('invalid-request', message, { path, shouldRetry: false })
