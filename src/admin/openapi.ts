/** The OpenAPI 3.1 document of the admin API, made of the route table. */
import { z } from 'zod'
import { paramsOf, type Route, statusOf } from './route.ts'
import { routes } from './routes.ts'

export type Schema = { readonly [key: string]: unknown }

let made: Record<string, unknown> | undefined

export function openApiDocument(): Record<string, unknown> {
  made ??= build()
  return made
}

function build(): Record<string, unknown> {
  const schemas = new Map<string, Schema>()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = `/admin/v1${route.path}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Signalbox admin API',
      version: '1',
      description: 'Keys, tenants, money, secrets and state of a gateway. Money is USD as a decimal string; times are RFC 3339 in UTC.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8484', description: 'A gateway on its usual port.' }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: "The owner's key, an admin's key, or a JWT with a role." } },
      schemas: { Error: errorSchema, ...Object.fromEntries([...schemas].toSorted(([one], [other]) => (one < other ? -1 : 1))) },
    },
  }
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', description: 'One of docs/reference/errors.md.' },
        message: { type: 'string' },
        path: { type: 'string', description: 'The member at fault.' },
      },
    },
  },
}

function operationOf(route: Route, schemas: Map<string, Schema>): Record<string, unknown> {
  const [tag = ''] = route.name.split('.')
  const query = route.query && schemaOf(route.query, 'input', schemas)
  const types = [...(route.answer ? ['application/json'] : []), ...(route.types ?? [])]
  const answer = route.answer && schemaOf(route.answer, 'output', schemas)
  return {
    operationId: route.name,
    tags: [tag],
    summary: route.summary,
    'x-signalbox-role': route.role,
    ...(route.wide && { 'x-signalbox-wide': true }),
    description: `Takes the role \`${route.role}\`${route.wide ? ', of no organisation' : ''}.`,
    parameters: [
      ...paramsOf(route.path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries((query?.['properties'] as Record<string, Schema> | undefined) ?? {}).map(([name, { description, ...schema }]) => ({
        name,
        in: 'query',
        required: false,
        ...(description !== undefined && { description }),
        schema,
      })),
      ...(route.versioned
        ? [{ name: 'if-match', in: 'header', required: false, description: 'The version that is changed.', schema: { type: 'string' } }]
        : []),
    ],
    ...(route.body && {
      requestBody: {
        required: !route.bodyOptional,
        content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
      },
    }),
    responses: {
      [String(statusOf(route))]: {
        description: answer || types.length > 0 ? 'Done.' : 'Done; there is no body.',
        ...(types.length > 0 && {
          content: Object.fromEntries(types.map((type) => [type, { schema: type === 'application/json' ? answer : { type: 'string' } }])),
        }),
      },
      default: { description: 'What went wrong.', content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
    },
  }
}

/** As JSON Schema; schemas with a name are put into `schemas`, and referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Map<string, Schema>): Schema {
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema & { $defs?: Record<string, Schema> }
  for (const [name, definition] of Object.entries($defs)) {
    const { id: _id, ...clean } = definition
    schemas.set(name, referring(clean) as Schema)
  }
  const { id, ...root } = referring(rest) as Schema & { id?: string }
  if (id === undefined) return root
  schemas.set(id, root)
  return { $ref: `#/components/schemas/${id}` }
}

function referring(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referring)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string' ? `#/components/schemas/${member.replace('#/$defs/', '')}` : referring(member),
    ]),
  )
}
