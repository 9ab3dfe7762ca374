import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alterations } from './altered.ts'
import { scanMembers } from './members.ts'

const of = (text: string) => alterations(text, JSON.parse(text), scanMembers(text).keys)

test('text that a parser keeps has no alterations', () => {
  for (const text of [
    '{}',
    '{"a":[1,2.5,-0,1e3,1E+2,0.1,123456789012345,1e-7,12.50,9007199254740992,1.7976931348623157e308]}',
    '{"a":"1e999","b":"{\\"c\\":1,\\"c\\":2}","10000000000000000999":1}',
    '{"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}],"__proto__":{"b":1}}',
  ])
    assert.deepEqual(of(text), [], text)
})

test('numbers that no double holds are told with their path', () => {
  assert.deepEqual(of('{"a":[0,{"b":1.000000000000000005}],"n":10000000000000000999}'), [
    { path: 'a[1].b', kind: 'rounded', text: '1.000000000000000005' },
    { path: 'n', kind: 'rounded', text: '10000000000000000999' },
  ])
  assert.deepEqual(of('{"a":-1e999}'), [{ path: 'a', kind: 'beyond', text: '-1e999' }])
  assert.deepEqual(of('{"a":1E-999}'), [{ path: 'a', kind: 'rounded', text: '1E-999' }])
  assert.deepEqual(of('{"a":9223372036854775807}'), [{ path: 'a', kind: 'rounded', text: '9223372036854775807' }])
})

test('a key that stands twice in one object is told with its path, however it is spelt', () => {
  assert.deepEqual(of('{"a":[{"b":1,"c":{},"\\u0062":2}]}'), [{ path: 'a[0].b', kind: 'repeated', text: 'b' }])
  assert.deepEqual(of('{"a":{"__proto__":1,"__proto__":{}}}'), [{ path: 'a.__proto__', kind: 'repeated', text: '__proto__' }])
  assert.deepEqual(of(`{"\u00e9":1,"e\u0301":2}`), [], 'composed and decomposed letters are two keys')
})
