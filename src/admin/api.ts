/** The admin API: the owner's key on every path, JSON in and out, errors as `{ error: { code, message, path } }`. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type FaultId, faults, GatewayError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import { type ReloadParts, reloadRoutes } from './reload.ts'

export interface AdminParts extends ReloadParts {
  /** Whether this is the owner's key, compared in constant time. */
  isOwner(credential: string): boolean
}

export const ADMIN_PREFIX = '/admin'

/** To be registered under `ADMIN_PREFIX`. */
export function adminApi(parts: AdminParts): (admin: FastifyInstance) => Promise<void> {
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
    admin.addHook('onRequest', async (request) => {
      const [, credential] = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '') ?? []
      if (credential === undefined)
        throw new GatewayError('unauthenticated', "The admin API wants the owner's key: send it as `Authorization: Bearer`.")
      if (!parts.isOwner(credential)) throw new GatewayError('unauthenticated', "This is not the owner's key.")
    })
    admin.setNotFoundHandler((request, reply) =>
      sendError(reply, 'not-found', `There is nothing at ${request.method} ${shortUrl(request)} in the admin API.`),
    )
    admin.setErrorHandler((error: FastifyError, _request, reply) => {
      if (error instanceof GatewayError) return sendError(reply, error.id, error.message, error.path)
      const id = frameworkFaults[error.statusCode ?? 500]
      // Only what the framework says of the request is told: other messages may hold anything.
      return id ? sendError(reply, id, error.message) : sendError(reply, 'internal', 'The gateway failed to handle this request.')
    })
    await admin.register(reloadRoutes(parts), { prefix: '/v1' })
  }
}

const frameworkFaults: Readonly<Record<number, FaultId>> = {
  400: 'invalid-request',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'too-large',
  415: 'unsupported-media-type',
}

const shortUrl = ({ url }: FastifyRequest): string => (url.split('?')[0] ?? '').slice(0, 200)

function sendError(reply: FastifyReply, id: FaultId, message: string, path?: string): FastifyReply {
  if (id === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  const { code, status } = faults[id]
  return reply.code(status).send({ error: { code, message, ...(path !== undefined && { path }) } })
}
