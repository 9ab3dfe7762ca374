/**
 * The admin API on HTTP: who asks is settled before anything else is read; JSON in and out; errors as `{ error: { code, message, path } }`.
 * What it offers is data (`routes.ts`), loaded with the first request: a gateway that nobody administers does not pay for it.
 */
import { Readable } from 'node:stream'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type FaultId, faults, GatewayError } from '../core/error.ts'
import type { Headers } from '../core/http.ts'
import type { Json } from '../core/json.ts'
import type { Caller } from '../core/policy.ts'
import { anonymous, type Principal } from '../core/principal.ts'
import { createDoor, type Door } from './door.ts'
import type { AdminParts } from './parts.ts'

export type { AdminParts } from './parts.ts'

export const ADMIN_PREFIX = '/admin'

const owner: Principal = { ...anonymous, kind: 'owner', id: 'owner', role: 'owner' }

/** To be registered under `ADMIN_PREFIX`. */
export function adminApi(parts: AdminParts): (admin: FastifyInstance) => Promise<void> {
  const callers = new WeakMap<FastifyRequest, Principal>()
  const operations = new WeakMap<FastifyRequest, string>()
  const { door = createDoor(), answered } = parts

  return async (admin) => {
    // Many clients send the header whether they have a body or not.
    admin.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
      if (text === '') return done(null, undefined)
      try {
        done(null, JSON.parse(String(text)) as Json)
      } catch {
        done(new GatewayError('invalid-request', 'The request body is not valid JSON.'))
      }
    })
    admin.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
      callers.set(request, await callerOf(parts, door, request))
    })
    if (answered) admin.addHook('onResponse', async (request, reply) => answered(operations.get(request) ?? '', reply.statusCode))
    admin.setNotFoundHandler((request) => {
      throw new GatewayError('not-found', `There is nothing at ${request.method} ${pathOf(request)} in the admin API.`)
    })
    admin.setErrorHandler((error: FastifyError, request, reply) => {
      if (error instanceof GatewayError) {
        const caller = callers.get(request)
        if (error.id === 'forbidden' && caller) door.forbidden(caller, addressOf(parts, request), operations.get(request) ?? '')
        return sendError(reply, error.id, error.message, error)
      }
      const id = frameworkFaults[error.statusCode ?? 500]
      // Only what the framework says of the request is told: other messages may hold anything.
      return id ? sendError(reply, id, error.message) : sendError(reply, 'internal', 'The gateway failed to handle this request.')
    })
    admin.all('/v1/*', async (request, reply) => {
      const { dispatch } = await import('./dispatch.ts')
      const { method, url, headers, body } = request
      const mark = url.indexOf('?')
      const result = await dispatch(
        {
          method: method === 'HEAD' ? 'GET' : method,
          path: pathOf(request).slice(`${ADMIN_PREFIX}/v1`.length),
          query: mark < 0 ? '' : url.slice(mark + 1),
          headers: headers as Headers,
          body: body ?? undefined,
          ip: addressOf(parts, request),
          matched: (operation) => operations.set(request, operation),
        },
        callers.get(request) ?? anonymous,
        parts,
      )
      reply.code(result.status).headers(result.headers)
      return reply.send(typeof result.body === 'object' ? Readable.from(result.body) : result.body)
    })
  }
}

async function callerOf(parts: AdminParts, door: Door, request: FastifyRequest): Promise<Principal> {
  const caller = { ...plainCaller(request), credential: bearerOf(request) }
  if (caller.credential === undefined)
    throw new GatewayError('unauthenticated', "The admin API wants a key: send the owner's, or an admin's, as `Authorization: Bearer`.")
  if (parts.isOwner(caller.credential)) return owner
  const principal = await known(parts, door, { ...caller, credential: caller.credential }, request)
  try {
    parts.services?.authorize?.(principal, { op: 'admin', caller })
  } catch (error) {
    if (error instanceof GatewayError && error.id === 'forbidden') door.forbidden(principal, addressOf(parts, request), '')
    throw error
  }
  return principal
}

/** The credential is looked at however often this address was wrong: good ones are never told to wait. */
async function known(
  parts: AdminParts,
  door: Door,
  caller: Caller & { readonly credential: string },
  request: FastifyRequest,
): Promise<Principal> {
  try {
    const principal = await parts.services?.authenticate(caller)
    if (principal && principal.kind !== 'anonymous') return principal
    throw new GatewayError('unauthenticated', 'This key is not known.')
  } catch (error) {
    if (!(error instanceof GatewayError) || error.id !== 'unauthenticated') throw error
    throw door.unknown(addressOf(parts, request), caller.credential) ?? error
  }
}

const bearerOf = ({ headers }: FastifyRequest): string | undefined => /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1]
const plainCaller = (request: FastifyRequest): Omit<Caller, 'credential'> => ({
  ip: request.socket.remoteAddress,
  headers: request.headers as Headers,
})
const addressOf = ({ services }: AdminParts, request: FastifyRequest): string | undefined =>
  services?.addressOf?.({ ...plainCaller(request), credential: undefined }) ?? request.socket.remoteAddress

const frameworkFaults: Readonly<Record<number, FaultId>> = {
  400: 'invalid-request',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'too-large',
  415: 'unsupported-media-type',
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?')[0] ?? ''

function sendError(reply: FastifyReply, id: FaultId, message: string, error?: GatewayError): FastifyReply {
  const { code, status } = faults[id]
  const headers: Headers = { 'x-signalbox-error': code }
  if (id === 'unauthenticated') headers['www-authenticate'] = 'Bearer'
  if (error?.allow !== undefined) headers['allow'] = error.allow
  if (error?.retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000)))
  const { path } = error ?? {}
  return reply
    .code(error?.status ?? status)
    .headers(headers)
    .send({ error: { code, message, ...(path !== undefined && { path }) } })
}
