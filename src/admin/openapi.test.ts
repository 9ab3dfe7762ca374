import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApiDocument } from './openapi.ts'
import { paramsOf, statusOf } from './route.ts'
import { routes } from './routes.ts'

interface Operation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, { readonly content?: object }>>
  readonly 'x-signalbox-role': string
}
const text = JSON.stringify(openApiDocument())
const { paths, components } = JSON.parse(text) as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

test('every route is in the document, and nothing else is', () => {
  const told = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  assert.deepEqual(told.sort(), routes.map(({ method, path }) => `${method} /admin/v1${path}`).sort())
})

test('every operation says its role, its parameters, its body and its answer', () => {
  for (const route of routes) {
    const operation = paths[`/admin/v1${route.path}`]?.[route.method.toLowerCase()]
    assert.ok(operation, route.name)
    assert.equal(operation.operationId, route.name)
    assert.equal(operation['x-signalbox-role'], route.role)
    assert.deepEqual(
      operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name),
      paramsOf(route.path),
    )
    assert.equal(operation.requestBody !== undefined, route.body !== undefined, route.name)
    const answer = operation.responses[String(statusOf(route))]
    assert.ok(answer, route.name)
    assert.equal(answer.content !== undefined, route.answer !== undefined || route.types !== undefined, route.name)
  }
})

test('every reference leads to a schema, and every schema is referred to', () => {
  const named = new Set(Object.keys(components.schemas))
  const referred = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name = '']) => name))
  assert.deepEqual([...referred].sort(), [...named].sort())
})

test('secrets, and keys but at their making, are in no answer', () => {
  for (const [name, schema] of Object.entries(components.schemas))
    for (const member of Object.keys((schema as { properties?: object }).properties ?? {}))
      assert.ok(
        !/^(value|digest|lookup|secret|password)$/.test(member) ||
          /Input$|Patch$|^BudgetStatus$|^Budget$|^Limit$/.test(name) ||
          /^Key(Budget|Limit)$/.test(name),
        `${name}.${member}`,
      )
  const withKey = Object.entries(components.schemas).filter(([, schema]) => 'key' in ((schema as { properties?: object }).properties ?? {}))
  assert.deepEqual(withKey.map(([name]) => name).sort(), ['Call', 'DecisionRecord', 'NewAdmin', 'NewKey', 'UsageRow'])
})
