/** Endpoints that need no provider: the root, the model lists, and paths that are not there. */
import { GatewayError } from '../core/error.ts'
import { bytesOf, emptyBody, type HttpReply, type HttpRequest } from '../core/http.ts'
import type { Endpoint, Match } from './endpoints.ts'
import { type ListedModel, modelCard, modelList } from './models.ts'

export const jsonReply = (value: unknown): HttpReply => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: bytesOf(JSON.stringify(value)),
})

export function listModels({ op, dialect, model }: Endpoint, { query }: HttpRequest, models: readonly ListedModel[]): HttpReply {
  if (op === 'models') return jsonReply(modelList(models, dialect, query))
  const wanted = model ?? ''
  const found = models.find(({ id }) => id === wanted || `models/${id}` === wanted)
  if (!found)
    throw new GatewayError('unknown-model', `There is no model \`${wanted.slice(0, 200)}\`. \`GET /v1/models\` lists what answers.`, {
      path: 'model',
      shouldRetry: false,
    })
  return jsonReply(modelCard(found, dialect))
}

export const hello = ({ method }: HttpRequest): HttpReply =>
  method === 'HEAD'
    ? { status: 200, headers: { 'content-type': 'application/json' }, body: emptyBody }
    : jsonReply({ name: 'signalbox', documentation: 'docs/', models: '/v1/models' })

export const upgradeRefused = (): GatewayError =>
  new GatewayError('upgrade-required', 'WebSocket is not served on this path. Send the same request over HTTP: POST /v1/responses.', {
    shouldRetry: false,
  })

export function noSuchPath(match: Match, { method, path }: HttpRequest): GatewayError {
  const where = `${method} ${path.slice(0, 200)}`
  if (match.op === 'wrong-method')
    return new GatewayError('method-not-allowed', `${where}: this path takes ${'allow' in match ? match.allow : 'another method'}.`, {
      shouldRetry: false,
      allow: 'allow' in match ? match.allow : undefined,
    })
  return new GatewayError(
    'not-found',
    `${where}: there is nothing here. Chat lives at /v1/chat/completions, /v1/responses, /v1/messages and /v1beta/models/{model}:generateContent.`,
    {
      shouldRetry: false,
    },
  )
}
