import { openApiDocument, type Schema } from '../../src/admin/openapi.ts'
import { paramsOf, type Route } from '../../src/admin/route.ts'
import { routes } from '../../src/admin/routes.ts'

/** The OpenAPI document as a file. */
export const openApiFile = (): string => `${JSON.stringify(openApiDocument(), null, 2)}\n`

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly description?: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>
}

/** `client.generated.ts`: the admin API with its types, for programs in TypeScript. */
export function adminClientFile(): string {
  const { paths, components } = JSON.parse(openApiFile()) as {
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, Schema> }
  }
  const groups = new Map<string, Route[]>()
  for (const route of routes) {
    const [group = ''] = route.name.split('.')
    groups.set(group, [...(groups.get(group) ?? []), route])
  }
  const operationOf = (route: Route): Operation => paths[`/admin/v1${route.path}`]?.[route.method.toLowerCase()] as Operation
  const types = Object.entries(components.schemas)
    .filter(([name]) => name !== 'Error')
    .map(([name, schema]) => declared(name, schema))
  const queries = routes.filter(({ query }) => query).map((route) => queryType(route, operationOf(route)))
  const answers = routes.flatMap((route) => {
    const schema = route.answer && answerSchema(operationOf(route))
    return schema?.['properties'] === undefined ? [] : [declared(`${pascal(route.name)}Answer`, schema)]
  })
  const signatures = [...groups].map(
    ([group, members]) => `  readonly ${group}: {\n${members.map((route) => signature(route, operationOf(route))).join('\n')}\n  }`,
  )
  const bodies = [...groups].map(([group, members]) => `    ${group}: {\n${members.map((route) => body(route)).join('\n')}\n    },`)
  return `/** Made by \`npm run docs\` from src/admin/routes.ts: the admin API, with its types. */
import { type AdminClientOptions, adminCalls, segment } from './client-call.ts'

export { type AdminClientOptions, AdminError } from './client-call.ts'

${[...types, ...queries, ...answers].join('\n\n')}

/** For changes: refused when it has another version by now. */
export interface IfMatch {
  readonly ifMatch?: number
}

export interface AdminClient {
${signatures.join('\n')}
}

export function createAdminClient(options: AdminClientOptions): AdminClient {
  const { json, text } = adminCalls(options)
  return {
${bodies.join('\n')}
  }
}
`
}

function declared(name: string, schema: Schema): string {
  const text = typeOf(schema, 0)
  return text.startsWith('{') ? `export interface ${name} ${text}` : `export type ${name} = ${text}`
}

function signature(route: Route, operation: Operation): string {
  const method = route.name.split('.')[1] ?? ''
  const lines = [`    /** ${route.summary} */`]
  if (route.answer) lines.push(`    ${method}(${parameters(route, operation)}): Promise<${answerName(route, operation)}>`)
  else if (!route.types) lines.push(`    ${method}(${parameters(route, operation)}): Promise<void>`)
  if (route.types) lines.push(`    ${route.answer ? `${method}Text` : method}(${parameters(route, operation)}): AsyncIterable<string>`)
  return lines.join('\n')
}

/** `UsageGetQuery`. */
const pascal = (name: string): string => name.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())
const queryName = ({ name }: Route): string => `${pascal(name)}Query`

function queryType(route: Route, { parameters: all }: Operation): string {
  const members = all
    .filter((one) => one.in === 'query')
    .map(({ name, schema, description }) => member(name, { ...schema, description }, false, 1))
  return `export interface ${queryName(route)} {\n${members.join('\n')}\n}`
}

function answerSchema({ responses }: Operation): Schema {
  const [response] = Object.entries(responses).flatMap(([status, one]) => (status === 'default' ? [] : [one]))
  return response?.content?.['application/json']?.schema ?? {}
}

/** An answer without a name is called after its route. */
const answerName = (route: Route, operation: Operation): string => {
  const schema = answerSchema(operation)
  return schema['properties'] === undefined ? typeOf(schema, 0) : `${pascal(route.name)}Answer`
}

function parameters(route: Route, operation: Operation): string {
  const words = paramsOf(route.path).map((name) => `${name}: string`)
  if (route.body) {
    const bodyType = typeOf(operation.requestBody?.content['application/json']?.schema ?? {}, 2)
    words.push(`body${route.bodyOptional ? '?' : ''}: ${bodyType}`)
  }
  if (route.query) words.push(`query?: ${queryName(route)}`)
  if (route.versioned) words.push('options?: IfMatch')
  return words.join(', ')
}

/** As the formatter breaks lines. */
const WIDTH = 140

function body(route: Route): string {
  const method = route.name.split('.')[1] ?? ''
  const params = paramsOf(route.path)
  const words = [...params]
  const given: string[] = []
  if (route.body) {
    words.push('body')
    given.push(route.bodyOptional ? 'body: body ?? {}' : 'body')
  }
  if (route.query) {
    words.push('query')
    given.push('query')
  }
  if (route.versioned) {
    words.push('options')
    given.push('ifMatch: options?.ifMatch')
  }
  const path =
    params.length === 0 ? `'${route.path}'` : `\`${route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `\${segment(${name})}`)}\``
  const call = `('${route.method}', ${path}${given.length > 0 ? `, { ${given.join(', ')} }` : ''})`
  const entry = (name: string, how: string): string => {
    const line = `      ${name}: (${words.join(', ')}) => ${how}${call},`
    return line.length <= WIDTH ? line : line.replace(' => ', ' =>\n        ')
  }
  const entries: string[] = []
  if (route.answer || !route.types) entries.push(entry(method, 'json'))
  if (route.types) entries.push(entry(route.answer ? `${method}Text` : method, 'text'))
  return entries.join('\n')
}

const indent = (depth: number): string => '  '.repeat(depth)

function member(name: string, schema: Schema, required: boolean, depth: number): string {
  const { description = alternativesDescription(schema) } = schema as { description?: string }
  const comment = description === undefined ? '' : `${indent(depth)}/** ${description} */\n`
  const quoted = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`
  return `${comment}${indent(depth)}readonly ${quoted}${required ? '' : '?'}: ${typeOf(schema, depth)}`
}

/** What may be null says beside it what it is. */
const alternativesDescription = ({ anyOf }: Schema): string | undefined =>
  Array.isArray(anyOf) ? (anyOf as { description?: string }[]).find(({ description }) => description !== undefined)?.description : undefined

function typeOf(schema: Schema, depth: number): string {
  const {
    $ref,
    enum: values,
    const: constant,
    anyOf,
    type,
    properties,
    required,
    additionalProperties,
    items,
  } = schema as {
    $ref?: string
    enum?: readonly unknown[]
    const?: unknown
    anyOf?: readonly Schema[]
    type?: string
    properties?: Readonly<Record<string, Schema>>
    required?: readonly string[]
    additionalProperties?: Schema | boolean
    items?: Schema
  }
  if ($ref !== undefined) return $ref.replace('#/components/schemas/', '')
  if (constant !== undefined) return literal(constant)
  if (values) return values.map(literal).join(' | ')
  if (anyOf) return [...new Set(anyOf.map((one) => typeOf(one, depth)))].join(' | ')
  if (properties) {
    const members = Object.entries(properties).map(([name, child]) => member(name, child, required?.includes(name) ?? false, depth + 1))
    return `{\n${members.join('\n')}\n${indent(depth)}}`
  }
  if (items) {
    const inner = typeOf(items, depth)
    return `readonly ${/ \| /.test(inner) ? `(${inner})` : inner}[]`
  }
  if (type === 'object') {
    const inner = typeof additionalProperties === 'object' ? typeOf(additionalProperties, depth) : 'unknown'
    return `Readonly<Record<string, ${inner}>>`
  }
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'string' || type === 'boolean' || type === 'null') return type
  return 'unknown'
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))
