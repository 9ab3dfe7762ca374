import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCall, Tool } from '../core/call.ts'
import { type NameRules, toolNames } from './tool-names.ts'

const rules: NameRules = { legal: /[a-zA-Z0-9_-]/, max: 64 }
const tool = (name: string, more: Partial<Extract<Tool, { type: 'function' }>> = {}): Tool => ({
  type: 'function',
  path: '',
  name,
  ...more,
})
const callWith = (...tools: Tool[]): ChatCall => ({
  op: 'chat',
  path: '',
  wire: 'openai-chat',
  model: 'm',
  stream: false,
  messages: [],
  tools,
  settings: {},
  paths: {},
})

test('legal names stay, and nothing needs to be restored', () => {
  const names = toolNames(callWith(tool('get_weather'), tool('add')), rules)
  assert.equal(names.sent('get_weather'), 'get_weather')
  assert.equal(names.changed, false)
  assert.deepEqual(names.received('add')?.name, 'add')
})

test('illegal characters, lengths and beginnings are rewritten one to one, the same each time', () => {
  const hostile = ['get weather', 'get.weather', 'get/weather', '', 'x'.repeat(200), `${'x'.repeat(200)}y`, 'größe', '😀', 'get_weather']
  const make = (): readonly string[] => {
    const names = toolNames(callWith(...hostile.map((name) => tool(name))), rules)
    const sent = hostile.map((name) => names.sent(name))
    for (const [index, name] of hostile.entries()) assert.equal(names.received(sent[index] ?? '')?.name, name)
    assert.equal(names.changed, true)
    return sent
  }
  const sent = make()
  for (const name of sent) assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/)
  assert.equal(new Set(sent).size, hostile.length)
  assert.equal(sent.at(-1), 'get_weather', 'a name that fits keeps itself')
  assert.deepEqual(make(), sent)
})

test('a first character is held to its own rule', () => {
  const names = toolNames(callWith(tool('2nd'), tool('-x')), { ...rules, first: /[a-zA-Z_]/ })
  assert.equal(names.sent('2nd'), '_2nd')
  assert.equal(names.received('_2nd')?.name, '2nd')
})

test('namespaces are flattened and found again, and do not collide with plain names', () => {
  const names = toolNames(callWith(tool('add', { namespace: 'mcp__gw' }), tool('mcp__gw__add'), tool('add')), rules)
  const sent = [names.sent('add', 'mcp__gw'), names.sent('mcp__gw__add'), names.sent('add')]
  assert.equal(new Set(sent).size, 3)
  assert.equal(sent[1], 'mcp__gw__add')
  assert.deepEqual(names.received(sent[0] ?? ''), { name: 'add', namespace: 'mcp__gw', freeform: undefined })
})

test('calls of tools that are no longer there get names as well', () => {
  const names = toolNames(callWith(), rules)
  assert.equal(names.sent('old tool'), 'old_tool')
  assert.equal(names.received('old_tool')?.name, 'old tool')
})

test('a freeform tool needs its calls restored even under its own name', () => {
  const names = toolNames(callWith({ type: 'freeform', path: '', name: 'exec' }), rules)
  assert.equal(names.changed, true)
  assert.equal(names.received('exec')?.freeform, true)
})
