/** One request of the admin API, from its path to its answer: which route, who may, is it well-formed, do it, write it down. */
import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import type { Headers } from '../core/http.ts'
import { compact, isObject, type Json } from '../core/json.ts'
import type { Principal } from '../core/principal.ts'
import { authorizeRoute, organisationOf } from './access.ts'
import type { AdminParts, AdminServices } from './parts.ts'
import { checked } from './problem.ts'
import { type Context, Raw, type Route, statusOf } from './route.ts'
import { routes } from './routes.ts'

export interface AdminRequest {
  readonly method: string
  /** Below `/admin/v1`, with its leading slash. */
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Headers>
  /** Undefined: there was none. */
  readonly body: unknown
  readonly ip: string | undefined
  /** Told which operation it is, before anything is refused. */
  readonly matched?: ((operation: string) => void) | undefined
}

export interface AdminReply {
  readonly status: number
  readonly headers: Headers
  readonly body: string | AsyncIterable<string> | undefined
}

interface Node {
  readonly literal: Map<string, Node>
  parameter?: { readonly name: string; readonly node: Node }
  readonly methods: Map<string, Route>
}

const newNode = (): Node => ({ literal: new Map(), methods: new Map() })
const root = newNode()
for (const route of routes) {
  let node = root
  for (const segment of route.path.split('/').slice(1)) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1]
    if (name !== undefined) {
      node.parameter ??= { name, node: newNode() }
      node = node.parameter.node
    } else {
      const next = node.literal.get(segment) ?? newNode()
      node.literal.set(segment, next)
      node = next
    }
  }
  node.methods.set(route.method, route)
}

interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** Throws `not-found` or `method-not-allowed`. */
export function matchRoute(method: string, path: string): Match {
  let node: Node | undefined = root
  const params: Record<string, string> = {}
  for (const segment of path.replace(/\/$/, '').split('/').slice(1)) {
    const next: Node | undefined = node.literal.get(segment)
    if (next) node = next
    else if (node.parameter && segment !== '') {
      params[node.parameter.name] = decoded(segment)
      node = node.parameter.node
    } else throw nothingAt(method, path)
  }
  const route = node.methods.get(method)
  if (route) return { route, params }
  if (node.methods.size === 0) throw nothingAt(method, path)
  const allow = [...node.methods.keys()].join(', ')
  throw new GatewayError('method-not-allowed', `This path takes ${allow}.`, { allow })
}

export async function dispatch(request: AdminRequest, principal: Principal, { services, reload }: AdminParts): Promise<AdminReply> {
  const { route, params } = matchRoute(request.method, request.path)
  request.matched?.(route.name)
  authorizeRoute(route, principal)
  if (!services && route.name !== 'reload.run' && route.name !== 'openapi.get')
    throw new GatewayError('not-supported', 'This gateway keeps no state: of the admin API it offers reloading only.')
  const sealed = route.sealed ?? []
  const query = route.query ? checked(route.query, queryOf(request.query), 'query') : refuseQuery(request.query)
  const given = request.body === undefined && route.bodyOptional ? {} : request.body
  const body = route.body ? checked(route.body, given, 'request body', sealed) : refuseBody(request.body)
  let noted: Parameters<Context['note']>[0] = {}
  const context: Context = {
    principal,
    organisation: organisationOf(principal),
    param: (name) => params[name] ?? '',
    query,
    body,
    ifMatch: versionFrom(request.headers['if-match'], body),
    services: services as AdminServices,
    reload,
    now: Date.now,
    note(event) {
      noted = { ...noted, ...event }
    },
  }
  const answer = await route.handle(context)
  if (route.method !== 'GET' && services) {
    const [group = ''] = route.name.split('.')
    const target = Object.values(params)[0]
    await written(services, {
      actor: principal.id,
      action: route.action,
      subject: noted.subject ?? (target === undefined ? group : `${group}/${target}`),
      ...compact({ organisation: noted.organisation ?? organisationOf(principal), ip: request.ip }),
      detail: noted.detail ?? detailOf(body, sealed),
    })
  }
  return replyOf(route, answer)
}

/** It is done, whatever happens now; who asked must know that nothing tells of it. */
async function written({ audit }: AdminServices, event: Parameters<AdminServices['audit']['append']>[0]): Promise<void> {
  try {
    await audit.append(event)
  } catch (thrown) {
    throw new GatewayError(
      'store-unavailable',
      `It was done (${event.action} of ${event.subject}), but could not be written to the audit log.`,
      {
        cause: thrown,
        retryAfterMs: gatewayErrorOf(thrown).retryAfterMs ?? 1_000,
      },
    )
  }
}

const MOST_DETAIL = 4_000

function detailOf(body: unknown, sealed: readonly string[]): Readonly<Record<string, Json>> {
  if (!isObject(body)) return {}
  const open = Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (value === undefined ? [] : [[name, sealed.includes(name) ? '(sealed)' : value]])),
  )
  return JSON.stringify(open).length > MOST_DETAIL ? { members: Object.keys(open) } : (open as Record<string, Json>)
}

function replyOf(route: Route, answer: unknown): AdminReply {
  if (answer instanceof Raw) {
    const { type, fileName, status = 200, body } = answer.answer
    const headers: Headers = { 'content-type': type }
    if (fileName !== undefined) headers['content-disposition'] = `attachment; filename="${fileName}"`
    return { status, headers, body }
  }
  const status = statusOf(route)
  if (!route.answer) return { status, headers: {}, body: undefined }
  // What the schema does not name stays inside.
  const body = route.answer.parse(answer)
  const headers: Headers = { 'content-type': 'application/json; charset=utf-8' }
  if (isObject(body) && typeof body['version'] === 'number') headers['etag'] = `"${body['version']}"`
  return { status, headers, body: JSON.stringify(body) }
}

function queryOf(query: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (Object.hasOwn(found, name)) throw new GatewayError('invalid-request', `${name}: is given twice in the query.`, { path: name })
    Object.defineProperty(found, name, { value, enumerable: true })
  }
  return found
}

function refuseQuery(query: string): undefined {
  const [name] = new URLSearchParams(query).keys()
  if (name !== undefined) throw new GatewayError('invalid-request', `${name}: this path takes no query.`, { path: name })
}

function refuseBody(body: unknown): undefined {
  if (body === undefined || (isObject(body) && Object.keys(body).length === 0)) return undefined
  const path = isObject(body) ? Object.keys(body)[0] : undefined
  throw new GatewayError('invalid-request', 'This request takes no body.', path === undefined ? {} : { path })
}

function versionFrom(header: string | undefined, body: unknown): number | undefined {
  const inBody = isObject(body) && typeof body['version'] === 'number' ? body['version'] : undefined
  if (header === undefined || header === '*') return inBody
  const [, digits] = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim()) ?? []
  if (digits === undefined)
    throw new GatewayError('invalid-request', 'if-match: is not a version: send what `etag` said', { path: 'if-match' })
  const version = Number(digits)
  if (inBody !== undefined && inBody !== version)
    throw new GatewayError('invalid-request', '`If-Match` and `version` differ.', { path: 'version' })
  return version
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const nothingAt = (method: string, path: string): GatewayError =>
  new GatewayError('not-found', `There is nothing at ${method} /admin/v1${path.slice(0, 200)} in the admin API.`)
