import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Chance, chanceOf, runSeed } from '../../test/random.ts'
import { type Edit, editMembers, scanMembers } from './members.ts'

const space = (chance: Chance): string => chance.pick(['', '', ' ', '\n', '\t', '\r\n', '  \n  '])
const numbers = ['0', '-0', '1e999', '-1E-400', '1.000000000000000005', '10000000000000000999', '1.0', '-9223372036854775809', '5e-324']
const strings = [
  '""',
  '"a"',
  '"\\\\"',
  '"\\""',
  '"\\\\\\""',
  '"{[,:]}"',
  '"\\ud800"',
  '"é✓😀"',
  '"\\u0022,\\u0022"',
  '"a\\/b\\n"',
  '"} , {"',
]
const keys = [
  '"a"',
  '"model"',
  '"\\u0061"',
  '"é"',
  '"a b"',
  '"\\""',
  '""',
  '"__proto__"',
  '"constructor"',
  '"x\\\\"',
  '"{"',
  '"stream"',
  '"😀"',
]

function value(chance: Chance, depth: number): string {
  const kind = chance.below(depth > 4 ? 4 : 6)
  if (kind === 0) return chance.pick(numbers)
  if (kind === 1) return chance.pick(strings)
  if (kind === 2) return chance.pick(['true', 'false', 'null'])
  if (kind === 3) return String(chance.below(1e9))
  const items = Array.from({ length: chance.below(4) }, () => {
    const item = value(chance, depth + 1)
    return `${space(chance)}${kind === 4 ? item : `${chance.pick(keys)}${space(chance)}:${space(chance)}${item}`}${space(chance)}`
  })
  return kind === 4 ? `[${items.join(',')}]` : `{${items.join(',')}}`
}

/** A random object as text, and its members as text, in order. */
function object(chance: Chance): { text: string; members: Map<string, string> } {
  const members = new Map<string, string>()
  let text = ''
  for (let index = chance.below(7); index > 0; index--) {
    const key = chance.pick(keys)
    const name: string = JSON.parse(key)
    if (members.has(name)) continue
    const written = value(chance, 1)
    members.set(name, written)
    text += `${text === '' ? '' : ','}${space(chance)}${key}${space(chance)}:${space(chance)}${written}${space(chance)}`
  }
  return { text: `${space(chance)}{${text}${space(chance)}}${space(chance)}`, members }
}

const membersOf = (text: string): Map<string, string> =>
  new Map([...scanMembers(text).members].map(([name, { start, end }]) => [name, text.slice(start, end)]))

test('members of random objects are found where they stand', () => {
  const seed = runSeed()
  const chance = chanceOf(seed)
  for (let round = 0; round < 4_000; round++) {
    const { text, members } = object(chance)
    JSON.parse(text)
    assert.deepEqual([...membersOf(text)], [...members], `seed ${seed}, round ${round}: ${text}`)
  }
})

test('edits change what they say and nothing else', () => {
  const seed = runSeed()
  const chance = chanceOf(seed)
  for (let round = 0; round < 4_000; round++) {
    const { text, members } = object(chance)
    const expected = new Map(members)
    const edits: Edit[] = []
    for (let count = chance.below(4); count > 0; count--) {
      const name: string = JSON.parse(chance.pick(keys))
      if (chance.one(0.5)) {
        const json = value(chance, 2)
        edits.push({ set: name, json })
      } else edits.push({ remove: name })
    }
    for (const edit of new Map(edits.map((one) => ['set' in one ? one.set : 'remove' in one ? one.remove : '', one])).values()) {
      if ('set' in edit) expected.set(edit.set, edit.json)
      else if ('remove' in edit) expected.delete(edit.remove)
    }
    const edited = editMembers(text, scanMembers(text), edits)
    const told = `seed ${seed}, round ${round}: ${text} → ${edited}`
    assert.doesNotThrow(() => JSON.parse(edited), told)
    assert.deepEqual([...membersOf(edited)].toSorted(), [...expected].toSorted(), told)
    assert.equal(scanMembers(edited).duplicate, undefined, told)
    if (edits.length === 0) assert.equal(edited, text)
  }
})

test('a rename changes the key and leaves its value as it was written', () => {
  const text = '{ "max_completion_tokens" : 1.0e2 , "a":-0}'
  const edited = editMembers(text, scanMembers(text), [{ rename: 'max_completion_tokens', to: 'max_tokens' }])
  assert.equal(edited, '{ "max_tokens" : 1.0e2 , "a":-0}')
})

test('of several edits of one member the last counts', () => {
  const text = '{"a":1,"b":2}'
  const scan = scanMembers(text)
  assert.equal(
    editMembers(text, scan, [
      { set: 'a', json: '3' },
      { set: 'a', json: '4' },
    ]),
    '{"a":4,"b":2}',
  )
  assert.equal(editMembers(text, scan, [{ remove: 'b' }, { set: 'b', json: '5' }]), '{"a":1,"b":5}')
  assert.equal(
    editMembers(text, scan, [
      { set: 'c', json: '1' },
      { set: 'c', json: '2' },
    ]),
    '{"c":2,"a":1,"b":2}',
  )
})

test('a key that stands twice is told, however it is spelt', () => {
  assert.equal(scanMembers('{"a":1,"a":2}').duplicate, 'a')
  assert.equal(scanMembers('{"model":1,"\\u006dodel":2}').duplicate, 'model')
  assert.equal(scanMembers('{"a":{"b":1,"b":2}}').duplicate, undefined)
})

test('depth and keys are counted at every level', () => {
  const { depth, keys: count } = scanMembers('{"a":{"b":[{"c":":,{["}]},"d":1}')
  assert.equal(depth, 4)
  assert.equal(count, 4)
  assert.equal(scanMembers('{}').depth, 1)
})

test('the scan stops where the nesting passes its limit', () => {
  const started = performance.now()
  const { depth } = scanMembers(`{"a":${'['.repeat(5_000_000)}`, 100)
  assert.equal(depth, 101)
  assert.ok(performance.now() - started < 500)
})

test('text that is no JSON does not make the scan throw or hang', () => {
  const chance = chanceOf(7)
  const pieces = ['{', '}', '[', ']', '"', ',', ':', '\\', '\\u12', '"a"', '1e', ' ', 'nul', '"\\x"']
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: chance.below(12) }, () => chance.pick(pieces)).join('')
    assert.ok(scanMembers(text).members instanceof Map, text)
  }
})
