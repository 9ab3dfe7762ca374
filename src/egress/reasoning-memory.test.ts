import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCall, Part, Sealed } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { reasoningMemory } from './reasoning-memory.ts'

const seal = (value: string): Sealed => ({ vendor: 'anthropic', kind: 'signature', value })

/** A reply that thinks, then calls a tool. */
const reply = (id: string, sealed: Sealed): readonly Event[] => [
  { type: 'reply-start' },
  { type: 'part-start', index: 0, kind: 'reasoning' },
  { type: 'text-delta', index: 0, text: 'Let me ' },
  { type: 'text-delta', index: 0, text: 'see.' },
  { type: 'part-sealed', index: 0, sealed },
  { type: 'part-end', index: 0 },
  { type: 'part-start', index: 1, kind: 'tool-call', id, name: 'look' },
  { type: 'text-delta', index: 1, text: '{}' },
  { type: 'part-end', index: 1 },
  { type: 'reply-end', finish: 'tool-calls' },
]

const callWith = (parts: readonly Part[]): ChatCall => ({
  op: 'chat',
  path: '',
  wire: 'openai-chat',
  model: 'm',
  stream: false,
  messages: [{ path: 'messages[0]', role: 'assistant', parts }],
  tools: [],
  settings: {},
  paths: {},
})
const toolCall = (id: string): Part => ({ type: 'tool-call', path: 'messages[0].tool_calls[0]', id, name: 'look', arguments: '{}' })
const partsOf = (call: ChatCall): readonly Part[] => call.messages[0]?.parts ?? []

test('thinking that a client left out comes back before its call', () => {
  const memory = reasoningMemory()
  memory.watch('')(reply('call_1', seal('s1')))
  const parts = partsOf(memory.recall(callWith([toolCall('call_1')]), ''))
  assert.deepEqual(
    parts.map(({ type }) => type),
    ['reasoning', 'tool-call'],
  )
  const [thought] = parts
  assert.ok(thought?.type === 'reasoning')
  assert.equal(thought.text, 'Let me see.')
  assert.deepEqual(thought.sealed, [seal('s1')])
})

test('thinking that came back as bare words is replaced, not doubled', () => {
  const memory = reasoningMemory()
  memory.watch('')(reply('call_1', seal('s1')))
  const bare: Part = { type: 'reasoning', path: 'p', text: 'Let me see.' }
  assert.equal(partsOf(memory.recall(callWith([bare, toolCall('call_1')]), '')).length, 2)
})

test('a client that echoes the state itself is left alone', () => {
  const memory = reasoningMemory()
  memory.watch('')(reply('call_1', seal('s1')))
  const own: Part = { type: 'reasoning', path: 'p', text: 'mine', sealed: [seal('other')] }
  const call = callWith([own, toolCall('call_1')])
  assert.equal(memory.recall(call, ''), call)
})

test('nothing is recalled for another caller, another call, or after its time', () => {
  let now = 0
  const memory = reasoningMemory({ ttlMs: 1_000, now: () => now })
  memory.watch('team-a')(reply('call_1', seal('s1')))
  const call = callWith([toolCall('call_1')])
  assert.equal(memory.recall(call, 'team-b'), call)
  const other = callWith([toolCall('call_2')])
  assert.equal(memory.recall(other, 'team-a'), other)
  assert.equal(partsOf(memory.recall(call, 'team-a')).length, 2)
  now = 1_001
  assert.equal(memory.recall(call, 'team-a'), call)
})

test('the oldest goes when there is no room', () => {
  const memory = reasoningMemory({ maxEntries: 2 })
  for (const id of ['a', 'b', 'c']) memory.watch('')(reply(id, seal(id)))
  const known = (id: string): boolean => partsOf(memory.recall(callWith([toolCall(id)]), '')).length === 2
  assert.deepEqual(['a', 'b', 'c'].map(known), [false, true, true])
})

test('state too large to keep is not kept, so that no provider can fill the memory', () => {
  const memory = reasoningMemory({ maxCharacters: 1_000 })
  memory.watch('')(reply('large', seal('x'.repeat(2_000))))
  const large = callWith([toolCall('large')])
  assert.equal(memory.recall(large, ''), large)
  for (let index = 0; index < 50; index++) memory.watch('')(reply(`c${index}`, seal('x'.repeat(100))))
  assert.equal(partsOf(memory.recall(callWith([toolCall('c49')]), '')).length, 2)
  const first = callWith([toolCall('c0')])
  assert.equal(memory.recall(first, ''), first)
})
