import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../core/event.ts'
import { fold } from '../core/fold.ts'
import { freeformDescription, restorer } from './restore.ts'

const callOf = (name: string, pieces: readonly string[], index = 0): Event[] => [
  { type: 'part-start', index, kind: 'tool-call', id: 'c1', name },
  ...pieces.map((text): Event => ({ type: 'text-delta', index, text })),
  { type: 'part-end', index },
]
const end: Event = { type: 'reply-end', finish: 'tool-calls', raw: 'tool_use' }

test('without anything said by other means events pass as they are', () => {
  const events = [...callOf('add', ['{"a":1}']), end]
  assert.deepEqual(restorer({}).push(events), events)
})

test('tools get the names their client knows', () => {
  const restoring = restorer({ tools: (name) => (name === 'ns__add' ? { name: 'add', namespace: 'ns' } : undefined) })
  const { parts } = fold(restoring.push([...callOf('ns__add', ['{}']), ...callOf('other', ['{}'], 1), end]))
  assert.deepEqual(
    parts.map((part) => part.kind === 'tool-call' && [part.name, part.namespace]),
    [
      ['add', 'ns'],
      ['other', undefined],
    ],
  )
})

test('a freeform input comes out of its arguments, however they were split', () => {
  const text = JSON.stringify({ input: 'print("ä")\n' })
  for (let at = 0; at <= text.length; at++) {
    const restoring = restorer({ tools: () => ({ name: 'exec', freeform: true }) })
    const batches: Event[] = [...callOf('exec', [text.slice(0, at), text.slice(at)]), end].flatMap((event) => restoring.push([event]))
    const [part] = fold(batches).parts
    assert.ok(part?.kind === 'tool-call' && part.freeform)
    assert.equal(part.text, 'print("ä")\n')
  }
})

test('freeform arguments of another shape stay as the model wrote them', () => {
  for (const text of ['{"code":"x"}', 'not json', '{"input":5}', '']) {
    const restoring = restorer({ tools: () => ({ name: 'exec', freeform: true }) })
    const [part] = fold(restoring.push(callOf('exec', [text]))).parts
    assert.equal(part?.kind === 'tool-call' && part.text, text)
  }
})

test('a function that stands for the format becomes text, and its finish a natural end', () => {
  const reply = fold(restorer({ formatTool: 'answer' }).push([...callOf('answer', ['{"a":', '1}']), end]))
  assert.deepEqual(
    reply.parts.map((part) => part.kind !== 'whole' && [part.kind, part.text]),
    [['text', '{"a":1}']],
  )
  assert.equal(reply.end?.finish, 'stop')
})

test('beside real calls the finish stays what it is', () => {
  const reply = fold(restorer({ formatTool: 'answer' }).push([...callOf('answer', ['{}']), ...callOf('add', ['{}'], 1), end]))
  assert.equal(reply.end?.finish, 'tool-calls')
})

test('a grammar stands in the description where it has no other place', () => {
  assert.equal(freeformDescription('Runs.', { type: 'text' }), 'Runs.')
  const nested = freeformDescription('Runs.', { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } })
  assert.match(nested, /^Runs\.\n\n.*lark.*\nstart: "a"$/)
  assert.equal(freeformDescription(undefined, { type: 'grammar', syntax: 'regex', definition: 'a+' }).includes('a+'), true)
})
