import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages'
import type { Part } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import { assistant, encoded, text, toolCall, toolResult, user } from './fixtures.ts'

const messagesOf = (body: object): unknown => (body as MessageCreateParams).messages

test('the smallest call says the version, a limit and the words', () => {
  const { body, headers, dropped } = encoded({})
  assert.deepEqual(body, {
    model: 'claude-test',
    max_tokens: 32_000,
    messages: [{ role: 'user', content: 'Hello' }],
  } satisfies MessageCreateParams)
  assert.equal(headers['anthropic-version'], '2023-06-01')
  assert.deepEqual(dropped, [])
  assert.equal(encoded({}, { maxOutput: 8192 }).body['max_tokens'], 8192)
})

// ---- conversation ------------------------------------------------------------------------------------------------

test('all results of a turn stand in the one message after it, before other words', () => {
  const { body } = encoded({
    tools: [{ type: 'function', name: 'f', path: 'tools[0]' }],
    messages: [
      user('Go'),
      assistant([toolCall('a', 'f', '{"x":1}'), toolCall('b', 'f', '{"x":2}', 'messages[1].tool_calls[1]')]),
      { role: 'user', path: 'messages[2]', parts: [toolResult('a', 'one')] },
      user('and a word', 'messages[3]'),
      { role: 'user', path: 'messages[4]', parts: [toolResult('b', 'two', 'messages[4]')] },
    ],
  })
  assert.deepEqual((messagesOf(body) as unknown[])[2], {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: 'one' },
      { type: 'tool_result', tool_use_id: 'b', content: 'two' },
      { type: 'text', text: 'and a word' },
    ],
  })
})

test('a result that comes too late is moved to its call, and a call without one is given one', () => {
  const { body, dropped } = encoded({
    tools: [{ type: 'function', name: 'f', path: 'tools[0]' }],
    messages: [
      user('Go'),
      assistant([toolCall('a', 'f'), toolCall('b', 'f', '{}', 'messages[1].tool_calls[1]')]),
      assistant([text('Meanwhile', 'messages[2].content')], 'messages[2]'),
      user('Yes?', 'messages[3]'),
      assistant([text('Soon', 'messages[4].content')], 'messages[4]'),
      { role: 'user', path: 'messages[5]', parts: [toolResult('b', 'late', 'messages[5]')] },
    ],
  })
  const results = (messagesOf(body) as { role: string; content: unknown }[])[2]
  assert.deepEqual(results, {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: 'No result.', is_error: true },
      { type: 'tool_result', tool_use_id: 'b', content: 'late' },
      { type: 'text', text: 'Yes?' },
    ],
  })
  assert.ok(dropped.includes('messages[1].tool_calls[0];without a result'))
  assert.ok(dropped.includes('messages[5];moved to its call'))
})

test('ids that the API refuses are rewritten the same way for call and result, and doubled ones are told apart', () => {
  const call = {
    tools: [{ type: 'function', name: 'f', path: 'tools[0]' }] as const,
    messages: [
      user('Go'),
      assistant([toolCall('call:1/ä', 'f'), toolCall('same', 'f'), toolCall('same', 'f')]),
      {
        role: 'user' as const,
        path: 'messages[2]',
        parts: [toolResult('call:1/ä', '1'), toolResult('same', '2'), toolResult('same', '3')],
      },
    ],
  }
  const ids = (body: object): string[][] =>
    (messagesOf(body) as { content: { id?: string; tool_use_id?: string }[] }[])
      .slice(1)
      .map(({ content }) => content.map(({ id, tool_use_id: result }) => id ?? result ?? ''))
  const [calls, results] = ids(encoded(call).body)
  assert.deepEqual(calls, results)
  assert.equal(new Set(calls).size, 3)
  for (const id of calls ?? []) assert.match(id, /^[a-zA-Z0-9_-]+$/)
  assert.deepEqual(ids(encoded(call).body), [calls, results])
})

test('a result without its call stays as words', () => {
  const { body, dropped } = encoded({
    messages: [user('Go'), { role: 'user', path: 'messages[1]', parts: [toolResult('gone', 'left over', 'messages[1]')] }],
  })
  assert.deepEqual(messagesOf(body), [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Go' },
        { type: 'text', text: 'left over' },
      ],
    },
  ])
  assert.deepEqual(dropped, ['messages[1];a result without its call, as text'])
})

test('empty texts and white space at the very end are left out', () => {
  const parts: Part[] = [text('  '), text('Sure: \n')]
  const { body } = encoded({ messages: [user(''), user('Go', 'messages[1]'), assistant(parts, 'messages[2]')] })
  assert.deepEqual(messagesOf(body), [
    { role: 'user', content: 'Go' },
    { role: 'assistant', content: 'Sure:' },
  ])
})

test('a turn to be continued is kept, or asked for where the model cannot', () => {
  const messages = [user('Go'), assistant([text('Once upon')])]
  assert.equal((messagesOf(encoded({ messages }).body) as unknown[]).length, 2)
  const { body, dropped } = encoded({ messages }, { prefill: false })
  assert.equal((messagesOf(body) as { role: string }[]).at(-1)?.role, 'user')
  assert.match(dropped[0] ?? '', /^messages\[1\];/)
})

test('system texts: first ones apart, later ones native where known, else folded into the turn of the user', () => {
  const system = (words: string, path: string) => ({ role: 'system' as const, path, parts: [text(words, `${path}.content`)] })
  const messages = [system('First', 'messages[0]'), user('Hi', 'messages[1]'), system('Later', 'messages[2]'), user('Go', 'messages[3]')]
  const folded = encoded({ messages })
  assert.equal(folded.body['system'], 'First')
  assert.deepEqual(messagesOf(folded.body), [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'text', text: '<system-reminder>\nLater\n</system-reminder>' },
        { type: 'text', text: 'Go' },
      ],
    },
  ])
  assert.deepEqual(folded.dropped, ['messages[2];as a text of the user'])
  const native = encoded({ messages }, { midSystem: true })
  assert.deepEqual((messagesOf(native.body) as unknown[])[1], { role: 'system', content: 'Later' })
  assert.deepEqual(native.dropped, [])
})

test('nothing but instructions becomes what the model is asked', () => {
  const { body, dropped } = encoded({ messages: [{ role: 'system', path: 'messages[0]', parts: [text('Write a poem')] }] })
  assert.equal(body['system'], undefined)
  assert.deepEqual(messagesOf(body), [{ role: 'user', content: 'Write a poem' }])
  assert.equal(dropped.length, 1)
})

test('thinking goes back with its own signature only', () => {
  const thought = (value: string, vendor: 'anthropic' | 'openai'): Part => ({
    type: 'reasoning',
    text: 'hm',
    path: 'messages[1].reasoning',
    sealed: [{ vendor, kind: vendor === 'anthropic' ? 'signature' : 'encrypted', value }],
  })
  const messages = (vendor: 'anthropic' | 'openai') => [
    user('Go'),
    assistant([thought('s', vendor), text('Done')]),
    user('More', 'messages[2]'),
  ]
  assert.deepEqual((messagesOf(encoded({ messages: messages('anthropic') }).body) as unknown[])[1], {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'text', text: 'Done' },
    ],
  })
  const foreign = encoded({ messages: messages('openai') })
  assert.deepEqual((messagesOf(foreign.body) as unknown[])[1], { role: 'assistant', content: 'Done' })
  assert.ok(foreign.dropped.some((entry) => entry.startsWith('messages[1].reasoning.encrypted_content;')))
})

test('what a provider stores and what has no place is refused aloud', () => {
  const refused = (call: Parameters<typeof encoded>[0]) =>
    assert.throws(
      () => encoded(call),
      (error) => error instanceof GatewayError && error.id === 'untranslatable',
    )
  const part = (source: Extract<Part, { type: 'media' }>['source'], kind: 'image' | 'audio'): Part => ({
    type: 'media',
    kind,
    source,
    path: 'messages[0].content[0]',
  })
  refused({ messages: [{ role: 'user', path: 'messages[0]', parts: [part({ type: 'file', id: 'file-1' }, 'image')] }] })
  refused({
    messages: [{ role: 'user', path: 'messages[0]', parts: [part({ type: 'base64', data: 'AAAA', mime: 'audio/wav' }, 'audio')] }],
  })
  refused({ messages: [{ role: 'user', path: 'messages[0]', parts: [part({ type: 'url', url: 'gs://bucket/a.png' }, 'image')] }] })
  refused({ wire: 'openai-responses', extras: { previous_response_id: 'resp_1' } })
})

test('bytes are believed over labels, and text files travel as text', () => {
  const block = (mime: string, data: string, kind: 'image' | 'document' = 'document') =>
    (
      messagesOf(
        encoded({
          messages: [
            {
              role: 'user',
              path: 'messages[0]',
              parts: [{ type: 'media', kind, source: { type: 'base64', data, mime }, path: 'messages[0].content[0]' }],
            },
          ],
        }).body,
      ) as { content: unknown[] }[]
    )[0]?.content[0]
  assert.deepEqual(block('image/png', '/9j/4AAQ', 'image'), {
    type: 'image',
    source: { type: 'base64', media_type: 'image/jpeg', data: '/9j/4AAQ' },
  })
  assert.deepEqual(block('', 'JVBERi0xLjQ='), {
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQ=' },
  })
  assert.deepEqual(block('text/csv', btoa('a,b\n1,2')), {
    type: 'document',
    source: { type: 'text', media_type: 'text/plain', data: 'a,b\n1,2' },
  })
})

test('only the last four cache marks are sent, the others are named', () => {
  const parts = [1, 2, 3, 4, 5].map(
    (number): Part => ({
      ...(text(`${number}`, `messages[0].content[${number}]`) as Extract<Part, { type: 'text' }>),
      cache: { path: `messages[0].content[${number}].cache_control`, ttl: '30m' },
    }),
  )
  const { body, dropped } = encoded({ messages: [{ role: 'user', path: 'messages[0]', parts }] })
  const blocks = (messagesOf(body) as { content: { cache_control?: unknown }[] }[])[0]?.content ?? []
  assert.deepEqual(
    blocks.map((block) => block.cache_control),
    [undefined, ...Array(4).fill({ type: 'ephemeral', ttl: '1h' })],
  )
  assert.deepEqual(dropped, ['messages[0].content[1].cache_control;at most 4 cache marks'])
})
