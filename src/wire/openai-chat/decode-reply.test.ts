import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FoldedReply, fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { chunk, decodedReply, ending, merged, plain, sse, targetWith } from './fixtures.ts'

const said = ({ parts }: FoldedReply): unknown[] => parts.map((part) => (part.kind === 'whole' ? [part.part.type] : [part.kind, part.text]))
const streamed = (...chunks: (JsonObject | string)[]): FoldedReply => fold(decodedReply(sse(...chunks), true))
const whole = (message: JsonObject, more?: JsonObject, choice?: JsonObject): FoldedReply =>
  fold(decodedReply(plain(message, more, choice), false))

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

for (const [raw, finish] of Object.entries({
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  length: 'length',
  model_length: 'length',
  content_filter: 'filter',
  STOP: 'stop',
  whatever: 'other',
}))
  test(`a finish of ${raw} means ${finish}`, () => {
    const reply = whole({ content: 'x' }, {}, { finish_reason: raw })
    assert.deepEqual([reply.end?.finish, reply.end?.raw], [finish, raw])
  })

test('a stop sequence is told where the host names it', () => {
  const reply = whole({ content: 'x' }, {}, { finish_reason: 'stop', stop_reason: 'END' })
  assert.deepEqual([reply.end?.finish, reply.end?.stopSequence], ['stop-sequence', 'END'])
})

test('usage is read wherever a host puts it', () => {
  const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }
  for (const chunks of [
    [ending(), { choices: [], usage }],
    [{ ...ending(), usage }],
    [{ ...ending(), x_groq: { id: 'r', usage } }],
    [
      { ...chunk({ content: 'y' }), usage: { prompt_tokens: 7, completion_tokens: null, total_tokens: null } },
      { ...ending(), usage },
    ],
    [{ choices: [], usage }, ending()],
  ]) {
    const reply = streamed(chunk({ content: 'x' }), ...chunks, '[DONE]')
    assert.deepEqual([reply.usage?.input, reply.usage?.output], [7, 3])
  }
  assert.equal(streamed(chunk({ content: 'x' }), ending()).usage, undefined, 'unknown is not zero')
})

test('usage becomes totals, whatever a host leaves out of its numbers', () => {
  const totals = (usage: JsonObject): unknown[] => {
    const reply = whole({ content: 'x' }, { usage })
    return [reply.usage?.input, reply.usage?.output, reply.usage?.cacheRead]
  }
  assert.deepEqual(totals({ prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } }), [9, 4, 5])
  assert.deepEqual(totals({ prompt_tokens: 9, completion_tokens: 4, prompt_cache_hit_tokens: 5 }), [9, 4, 5])
  assert.deepEqual(totals({ prompt_tokens: 2, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } }), [7, 4, 5])
  assert.deepEqual(
    totals({ prompt_tokens: 9, completion_tokens: 4, total_tokens: 20, completion_tokens_details: { reasoning_tokens: 7 } }),
    [9, 11, undefined],
  )
  assert.deepEqual(totals({ prompt_tokens: 9, completion_tokens: 4, total_tokens: 20 }), [9, 11, undefined])
  assert.deepEqual(totals({ prompt_tokens: -1, completion_tokens: 1e30 }), [undefined, undefined, undefined])
})

test('reasoning outside the completion is added where the host is known for it', () => {
  const text = plain({ content: 'x' }, { usage: { prompt_tokens: 1, completion_tokens: 9, reasoning_tokens: 4 } })
  const reply = fold(decodedReply(text, false, { target: targetWith({ reasoningOutsideOutput: true }) }))
  assert.equal(reply.usage?.output, 13)
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

for (const [name, text, streams, id, words] of [
  ['an error in a 200', '{"error":{"message":"quota","code":429}}', false, 'upstream-rate-limited', /quota/],
  ['an error beside a choice', plain({ content: '' }, {}, { error: { message: 'broke', code: 502 } }), false, 'upstream-failed', /broke/],
  ['a page', '<html><title>Oops</title></html>', false, 'upstream-invalid', /Oops/],
  ['an empty body', '  \n', false, 'upstream-invalid', /empty/],
  ['half a body', plain({ content: 'x' }).slice(0, -5), false, 'upstream-invalid', /no JSON/],
  ['JSON of another kind', '{"candidates":[]}', false, 'upstream-invalid', /no chat completion/],
  ['an answer without a message', '{"choices":[{}]}', false, 'upstream-invalid', /without a message/],
  ['a stream without its ending', sse(chunk({ content: 'x' })), true, 'upstream-invalid', /before its end/],
  ['an empty stream', '', true, 'upstream-invalid', /before its end/],
  ['a stream that is only [DONE]', sse('[DONE]'), true, 'upstream-invalid', /without an answer/],
  [
    'an error event',
    `${sse(chunk({ content: 'x' }))}event: error\ndata: {"error":{"message":"tool failed","code":"tool_use_failed"}}\n\n`,
    true,
    'upstream-rejected',
    /tool failed/,
  ],
  [
    'an error chunk after the finish',
    sse(chunk({ content: 'x' }), ending('length'), { error: { message: 'late', code: 400 } }),
    true,
    'upstream-rejected',
    /late/,
  ],
  [
    'an error as JSON in a stream',
    '{"error":{"message":"overloaded","type":"overloaded_error"}}',
    true,
    'upstream-overloaded',
    /overloaded/,
  ],
  ['an event that is no JSON', sse(chunk({ content: 'x' }), '{"id":'), true, 'upstream-invalid', /not JSON/],
  [
    'a finish that is a failure',
    sse(chunk({ content: 'x' }), ending('insufficient_system_resource'), '[DONE]'),
    true,
    'upstream-failed',
    /insufficient_system_resource/,
  ],
] as const)
  test(`${name} ends in an error with the provider's words, and nothing follows`, () => {
    const events = decodedReply(text, streams)
    const last = events.at(-1)
    assert.ok(last?.type === 'error')
    assert.equal(last.error.id, id)
    assert.match(last.error.message, words)
    assert.equal(
      events.some(({ type }) => type === 'reply-end'),
      false,
    )
  })

test('white space before a plain answer, and a missing [DONE], are nothing to complain about', () => {
  assert.deepEqual(said(fold(decodedReply(`\n\n   \n${plain({ content: 'x' })}`, false))), [['text', 'x']])
  assert.equal(streamed(chunk({ content: 'x' }), ending()).end?.finish, 'stop')
  assert.equal(streamed(chunk({ content: 'x' }), '[DONE]').end?.finish, 'stop')
})

test('parts end before the reply does, and nothing comes after its end', () => {
  const events = decodedReply(sse(chunk({ content: 'x' }), ending(), '[DONE]', chunk({ content: 'more' }), '[DONE]'), true)
  assert.deepEqual(
    events.slice(-2).map(({ type }) => type),
    ['part-end', 'reply-end'],
  )
})
