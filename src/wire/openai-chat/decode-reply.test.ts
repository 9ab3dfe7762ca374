import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { chunk, decodedReply, ending, merged, said, sse, streamed, whole } from './fixtures.ts'

test('a plain answer and the same one streamed fold to the same reply', () => {
  const a = whole({ reasoning_content: 'hm', content: 'Hello' }, { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })
  const b = streamed(
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'h' }),
    chunk({ reasoning_content: 'm' }),
    chunk({ content: 'Hel' }),
    chunk({ content: 'lo' }),
    ending(),
    {
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 5,
      model: 'mm',
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    },
    '[DONE]',
  )
  assert.deepEqual(a, b)
  assert.deepEqual(said(a), [
    ['reasoning', 'hm'],
    ['text', 'Hello'],
  ])
  assert.deepEqual([a.id, a.model, a.created, a.end?.finish], ['c1', 'mm', 5, 'stop'])
})

test('any splitting of the bytes gives the same events', () => {
  const text = `\uFEFF: OPENROUTER PROCESSING\n\n${sse(chunk({ content: '<think>grüß</think> Hi 😀' }), chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":"ä"}' } }] }), ending('tool_calls'), '[DONE]')}`
  const expected = merged(decodedReply(text, true))
  for (const size of [1, 2, 3, 7, 64]) assert.deepEqual(merged(decodedReply(text, true, { size })), expected)
  assert.deepEqual(said(fold(expected)), [
    ['reasoning', 'grüß'],
    ['text', 'Hi 😀'],
    ['tool-call', '{"x":"ä"}'],
  ])
})

for (const [name, message] of Object.entries({
  reasoning_content: { reasoning_content: 'thought', content: 'text' },
  reasoning: { reasoning: 'thought', content: 'text' },
  'reasoning_details beside reasoning': {
    reasoning: 'thought',
    reasoning_details: [{ type: 'reasoning.text', text: 'thought', index: 0 }],
    content: 'text',
  },
  'reasoning_details alone': { reasoning_details: [{ type: 'reasoning.text', text: 'thought', index: 0 }], content: 'text' },
  'thinking in content': {
    content: [
      { type: 'thinking', thinking: [{ type: 'text', text: 'thought' }] },
      { type: 'text', text: 'text' },
    ],
  },
  'a tag in the text': { content: '\n<think>thought</think>\n\ntext' },
  'a longer tag in the text': { content: '<thinking>thought</thinking>text' },
  thinking_blocks: { thinking_blocks: [{ type: 'thinking', thinking: 'thought', signature: 's' }], content: 'text' },
} satisfies Record<string, JsonObject>))
  test(`finds thinking in ${name}, whole and streamed`, () => {
    const expected = [
      ['reasoning', 'thought'],
      ['text', 'text'],
    ]
    assert.deepEqual(said(whole(message)), expected)
    assert.deepEqual(said(streamed(chunk(message), ending(), '[DONE]')), expected)
  })

test('a tag split anywhere between two pieces is found', () => {
  const text = '<think>a < b</think>  done'
  for (let at = 0; at <= text.length; at++)
    assert.deepEqual(said(streamed(chunk({ content: text.slice(0, at) }), chunk({ content: text.slice(at) }), ending())), [
      ['reasoning', 'a < b'],
      ['text', 'done'],
    ])
})

test('text that only looks like a tag at first stays text', () => {
  for (const text of ['<thin ice', '<', '<p>x</p>', 'a <think>b</think>', '  <thinker>'])
    assert.deepEqual(said(streamed(chunk({ content: text.slice(0, 2) }), chunk({ content: text.slice(2) }), ending())), [['text', text]])
})

test('a tag that is never closed is text when it is short, and thinking cut short when it is long, whole and streamed', () => {
  const long = `<think>${'and then '.repeat(200)}`
  for (const [text, expected] of [
    ['\n<think>and then', ['text', '\n<think>and then']],
    [long, ['reasoning', long.slice(7)]],
  ] as const) {
    assert.deepEqual(said(whole({ content: text }, {}, { finish_reason: 'length' })), [expected])
    for (const size of [1, 50, 999, 5000]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        chunk({ content: text.slice(index * size, index * size + size) }),
      )
      assert.deepEqual(said(streamed(...pieces, ending('length'))), [expected])
    }
  }
})

test("OpenRouter's details are sealed with the thought they belong to", () => {
  const reply = streamed(
    chunk({ reasoning: 'a', reasoning_details: [{ type: 'reasoning.text', text: 'a', index: 0, format: 'anthropic-claude-v1' }] }),
    chunk({ reasoning: 'b', reasoning_details: [{ type: 'reasoning.text', text: 'b', index: 0, format: 'anthropic-claude-v1' }] }),
    chunk({ reasoning: null, reasoning_details: [{ type: 'reasoning.text', signature: 'sig', index: 0, format: 'anthropic-claude-v1' }] }),
    chunk({ content: 'x' }),
    ending(),
  )
  const [thought] = reply.parts
  assert.ok(thought?.kind === 'reasoning')
  assert.equal(thought.text, 'ab')
  const details = [{ type: 'reasoning.text', text: 'ab', index: 0, format: 'anthropic-claude-v1', signature: 'sig' }]
  assert.deepEqual(thought.sealed, [{ vendor: 'openrouter', kind: 'details', value: JSON.stringify(details) }])
})

const CALLS: readonly [string, JsonObject[]][] = [
  [
    'whole',
    [
      chunk({
        tool_calls: [
          { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
        ],
      }),
    ],
  ],
  [
    'in deltas',
    [
      chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{}' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
    ],
  ],
  [
    'without index',
    [
      chunk({
        tool_calls: [
          { id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', function: { name: 'g', arguments: '{}' } },
        ],
      }),
    ],
  ],
  [
    'with null ids after the first',
    [
      chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: null } }] }),
      chunk({ tool_calls: [{ index: 0, id: null, type: null, function: { name: null, arguments: '{"x":1}' } }] }),
      chunk({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{}' } }] }),
    ],
  ],
  [
    'with objects as arguments',
    [
      chunk({
        tool_calls: [
          { index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } },
          { index: 1, id: 'b', function: { name: 'g', arguments: {} } },
        ],
      }),
    ],
  ],
  [
    'with JSON in JSON',
    [
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '"{\\"x\\"' } }] }),
      chunk({
        tool_calls: [
          { index: 0, function: { arguments: ':1}"' } },
          { index: 1, id: 'b', function: { name: 'g', arguments: '{}' } },
        ],
      }),
    ],
  ],
  [
    'two under one index',
    [
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }] }),
      chunk({ tool_calls: [{ index: 0, id: 'b', function: { name: 'g', arguments: '{}' } }] }),
    ],
  ],
  [
    'with the id before the name',
    [
      chunk({ tool_calls: [{ index: 0, id: 'a' }] }),
      chunk({
        tool_calls: [
          { index: 0, function: { name: 'f', arguments: '{"x":1}' } },
          { index: 1, id: 'b', function: { name: 'g', arguments: '{}' } },
        ],
      }),
    ],
  ],
]
for (const [name, chunks] of CALLS)
  test(`reads tool calls ${name}`, () => {
    const reply = streamed(...chunks, ending('stop'), '[DONE]')
    const calls = reply.parts.map((part) => part.kind === 'tool-call' && [part.id, part.name, JSON.parse(part.text)])
    assert.deepEqual(calls, [
      ['a', 'f', { x: 1 }],
      ['b', 'g', {}],
    ])
    assert.equal(reply.end?.finish, 'tool-calls', 'a plain stop with calls is an end for calls')
  })

test('reads freeform calls, the old function call, and Google signatures', () => {
  const custom = whole({ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'exec', input: 'ls' } }] })
  assert.deepEqual(
    custom.parts.map((part) => part.kind === 'tool-call' && [part.name, part.freeform, part.text]),
    [['exec', true, 'ls']],
  )
  const legacy = whole({ content: null, function_call: { name: 'f', arguments: '{}' } }, {}, { finish_reason: 'function_call' })
  assert.deepEqual([said(legacy), legacy.end?.finish], [[['tool-call', '{}']], 'tool-calls'])
  const signed = whole({
    tool_calls: [
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 'sig' } } },
    ],
  })
  const [call] = signed.parts
  assert.deepEqual(call?.kind === 'tool-call' && call.sealed, [{ vendor: 'google', kind: 'thought-signature', value: 'sig' }])
})

test("Azure's first chunk says nothing yet", () => {
  const reply = streamed(
    { id: '', model: '', created: 0, object: '', choices: [], prompt_filter_results: [] },
    chunk({ content: 'x' }),
    ending(),
    '[DONE]',
  )
  assert.deepEqual([reply.id, reply.model, said(reply)], ['c1', 'mm', [['text', 'x']]])
})

test("sources come with the text: annotations, and Perplexity's lists once", () => {
  const annotation = { type: 'url_citation', url_citation: { url: 'https://a', title: 'A', start_index: 1, end_index: 2 } }
  const [part] = whole({ content: 'text', annotations: [annotation] }).parts
  assert.deepEqual(part?.kind === 'text' && part.citations.map(({ url, title, start, end }) => [url, title, start, end]), [
    ['https://a', 'A', 1, 2],
  ])
  const search = { search_results: [{ url: 'https://b', title: 'B' }], citations: ['https://b'] }
  const [second] = streamed(
    { ...chunk({ content: 'te' }), ...search },
    { ...chunk({ content: 'xt' }), ...search },
    { ...ending(), ...search },
  ).parts
  assert.deepEqual(second?.kind === 'text' && second.citations.map(({ url, title }) => [url, title]), [['https://b', 'B']])
})

test('log probabilities belong to their part', () => {
  const token = { token: 'x', logprob: -0.1, bytes: [120], top_logprobs: [] }
  const [part] = streamed(chunk({ content: 'x' }, { logprobs: { content: [token], refusal: null } }), ending()).parts
  assert.deepEqual(part?.kind === 'text' && part.logprobs, [token])
})

test('sound whose pieces end in padding is joined as bytes', () => {
  const [, sound] = streamed(
    chunk({ audio: { id: 'a1', transcript: 'x', data: btoa('ab') } }),
    chunk({ audio: { data: btoa('cde') } }),
    ending(),
  ).parts
  assert.equal(
    sound?.kind === 'whole' && sound.part.type === 'media' && sound.part.source.type === 'base64' && atob(sound.part.source.data),
    'abcde',
  )
})

test('a refusal, sound and pictures', () => {
  assert.deepEqual(said(whole({ content: null, refusal: 'No.' })), [['refusal', 'No.']])
  const audio = streamed(
    chunk({ audio: { id: 'a1', transcript: 'Hi' } }),
    chunk({ audio: { data: 'UklG' } }),
    chunk({ audio: { data: 'RAAA', expires_at: 9 } }),
    ending(),
  )
  assert.deepEqual(said(audio), [['text', 'Hi'], ['media']])
  const sound = audio.parts[1]
  assert.ok(sound?.kind === 'whole' && sound.part.type === 'media')
  assert.deepEqual(
    [sound.part.source, sound.part.extras],
    [
      { type: 'base64', data: 'UklGRAAA', mime: 'audio/wav' },
      { id: 'a1', transcript: 'Hi', expires_at: 9 },
    ],
  )
  const image = whole({ content: '', images: [{ type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA' } }] }).parts.at(-1)
  assert.deepEqual(image?.kind === 'whole' && image.part.type === 'media' && image.part.source, {
    type: 'base64',
    data: 'AAAA',
    mime: 'image/webp',
  })
})
