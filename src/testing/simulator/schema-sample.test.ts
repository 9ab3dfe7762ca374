import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Json, JsonObject } from '../../core/json.ts'
import { samplePattern } from './pattern-sample.ts'
import { sampleSchema } from './schema-sample.ts'

const schemas: Readonly<Record<string, JsonObject>> = {
  'an object with members of every type': {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 12, maxLength: 14 },
      age: { type: 'integer', minimum: 18, maximum: 99 },
      share: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
      even: { type: 'integer', multipleOf: 4, minimum: 21 },
      done: { type: 'boolean' },
      nothing: { type: 'null' },
      mood: { enum: ['calm', 'wild'] },
      kind: { const: 'thing' },
      tags: { type: 'array', items: { type: 'string' }, minItems: 3, uniqueItems: true },
      pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
      mail: { type: 'string', format: 'email' },
      when: { type: 'string', format: 'date-time' },
      id: { type: 'string', format: 'uuid' },
      code: { type: 'string', pattern: '^[A-Z]{3}-\\d{4}$' },
    },
    required: ['name', 'age'],
    additionalProperties: false,
  },
  'references and definitions': {
    $defs: { point: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] } },
    type: 'object',
    properties: { from: { $ref: '#/$defs/point' }, to: { $ref: '#/$defs/point' } },
    required: ['from', 'to'],
  },
  'a tree that refers to itself': {
    $defs: {
      node: {
        type: 'object',
        properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['value', 'children'],
      },
    },
    $ref: '#/$defs/node',
  },
  alternatives: {
    type: 'object',
    properties: { a: { anyOf: [{ type: 'null' }, { type: 'string' }] }, b: { oneOf: [{ type: 'integer' }, { type: 'string' }] } },
    required: ['a', 'b'],
  },
  'a list at the top': { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }, minItems: 2 },
}

for (const [title, schema] of Object.entries(schemas)) {
  test(`a sample of ${title} satisfies its schema, and is always the same`, () => {
    const value = sampleSchema(schema)
    const verdict = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value)
    assert.ok(verdict.success, `${JSON.stringify(value)}: ${verdict.error?.message}`)
    assert.deepEqual(sampleSchema(schema), value)
  })
}

test("a sample reads OpenAPI's dialect", () => {
  const schema: Json = {
    type: 'OBJECT',
    properties: {
      n: { type: 'INTEGER' },
      s: { type: 'STRING', nullable: true },
      l: { type: 'ARRAY', items: { type: 'STRING' }, minItems: '2' },
    },
  }
  assert.deepEqual(sampleSchema(schema), { n: 7, s: 's', l: ['l', 'l'] })
})

test('a sample of a schema that only refers to itself ends', () => {
  assert.doesNotThrow(() => sampleSchema({ $ref: '#' }))
  assert.doesNotThrow(() => sampleSchema({ type: 'object', properties: { again: { $ref: '#' } }, required: ['again'] }))
})

for (const pattern of ['^\\d{3}-[a-z]+$', '(cat|dog)s?', '^[^@]+@[^@]+\\.[a-z]{2,}$', '^#(?:[0-9a-f]{3}){1,2}$', '\\w+\\s\\w+']) {
  test(`a text is found for the pattern ${pattern}`, () => assert.match(samplePattern(pattern) ?? '', new RegExp(pattern)))
}

test('patterns beyond the simple ones are left alone', () => {
  for (const pattern of ['(?=a)b', '(a)\\1', '[', 'a(', '*']) assert.equal(samplePattern(pattern), undefined, pattern)
})
