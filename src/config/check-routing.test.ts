import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCatalog } from '../catalog/catalog.ts'
import { compileCondition } from './conditions.ts'
import { parseConfig } from './parse.ts'

const catalog = createCatalog()
const lab = { preset: 'openai-compatible', baseUrl: 'http://lab.test/v1' }
const target = { provider: 'lab', model: 'm' }

function problemsOf(models: object, more: object = {}): readonly (readonly [string, string, string | undefined])[] {
  const { problems } = parseConfig({ providers: { lab }, models, ...more }, { catalog: () => catalog })
  return problems.map(({ path, message, remedy }) => [path, message, remedy])
}

test('a group names another route, alone, and not in a circle', () => {
  assert.deepEqual(problemsOf({ fast: { targets: [target] }, all: { targets: [{ route: 'fats' }] } }), [
    ['models.all.targets[0].route', 'there is no route `fats`', 'did you mean `fast`?'],
  ])
  assert.deepEqual(problemsOf({ all: { targets: [{ route: 'all', model: 'm' }] } })[0]?.slice(0, 2), [
    'models.all.targets[0]',
    'names a route and a model',
  ])
  const circle = { a: { targets: [target, { route: 'b' }] }, b: { targets: [{ route: 'a' }] } }
  assert.deepEqual(problemsOf(circle)[0]?.slice(0, 2), ['models.b.targets[0].route', 'the groups go in a circle: a → b → a'])
})

test('a condition that cannot be compiled, or is no yes or no, is told at its place', () => {
  const whenOf = (when: string) => problemsOf({ a: { targets: [{ ...target, when }] } })[0]
  assert.match(whenOf('request.tokens <')?.[1] ?? '', /cannot be used as a condition: unexpected token/)
  assert.match(whenOf('reqest.tokens < 3')?.[1] ?? '', /unknown variable: reqest/)
  assert.match(whenOf('1 + 1')?.[1] ?? '', /is a int, not true or false/)
  assert.equal(whenOf('request.tokens < 3')?.[0], undefined)
})

test('a call for which a condition cannot be worked out does not meet it', () => {
  const compiled = compileCondition('metadata.level >= 3')
  assert.ok('condition' in compiled)
  const facts = { request: {}, key: {}, labels: {}, tags: [] }
  assert.equal(compiled.condition({ ...facts, metadata: { level: 3 } }), true)
  assert.equal(compiled.condition({ ...facts, metadata: { level: 2 } }), false)
  assert.equal(compiled.condition({ ...facts, metadata: {} }), false)
  assert.equal(compiled.condition({ ...facts, metadata: { level: 'high' } }), false)
})

test('requirements and preferences are read when the configuration is', () => {
  const [require, prefer] = problemsOf({ a: { targets: [target], constraints: { require: 'magic' }, prefer: 'beauty' } })
  assert.deepEqual(require?.slice(0, 2), ['models.a.constraints.require', '`magic` is not a requirement'])
  assert.match(require?.[2] ?? '', /known: tools, /)
  assert.deepEqual(prefer?.slice(0, 2), ['models.a.prefer', '`beauty` is not a preference'])
})

test('a tier lists routes; a pool without targets finds some', () => {
  assert.deepEqual(problemsOf({ fast: { targets: [target] } }, { tiers: { free: { models: ['fsat'] } } }), [
    ['tiers.free.models[0]', 'there is no route `fsat`', 'did you mean `fast`?'],
  ])
  assert.deepEqual(problemsOf({ see: { pool: { category: 'vision' } } })[0]?.slice(0, 2), [
    'models.see.pool',
    'no current model of the configured providers is good for `vision`',
  ])
  assert.deepEqual(problemsOf({ see: { pool: { category: 'vision' }, targets: [target] } }), [])
})
