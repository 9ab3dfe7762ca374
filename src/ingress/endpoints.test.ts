import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Headers } from '../core/http.ts'
import { emptyBody } from '../core/http.ts'
import { type Match, matchEndpoint } from './endpoints.ts'

function match(line: string, headers: Headers = {}): Match {
  const [method = '', target = ''] = line.split(' ')
  const mark = target.indexOf('?')
  return matchEndpoint({
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark + 1),
    headers,
    body: emptyBody,
  })
}

const chat = { op: 'chat', dialect: 'openai-chat' }
const responses = { op: 'chat', dialect: 'openai-responses' }
const messages = { op: 'chat', dialect: 'anthropic-messages' }
const gemini = (model: string, stream = false, array = false): Record<string, unknown> => ({
  op: 'chat',
  dialect: 'gemini',
  model,
  stream,
  array,
})

const table: readonly [string, Record<string, unknown>][] = [
  ['POST /v1/chat/completions', chat],
  ['POST /chat/completions', chat],
  ['POST /v1/v1/chat/completions', chat],
  ['POST //v1//chat//completions', chat],
  ['POST /v1/chat/completions/', chat],
  ['POST /openai/v1/chat/completions', chat],
  ['POST /openai/chat/completions?api-version=2025-01-01', chat],
  ['POST /openai/deployments/fast/chat/completions?api-version=2025-01-01', { ...chat, model: 'fast' }],
  ['POST /openai/deployments/sim%2Fecho/chat/completions', { ...chat, model: 'sim/echo' }],
  ['POST /openai/deployments/fast/responses', { ...responses, model: 'fast' }],
  ['POST /v1/responses', responses],
  ['POST /openai/v1/responses', responses],
  ['POST /v1/responses/input_tokens', { op: 'count', dialect: 'openai-responses' }],
  ['POST /v1/messages?beta=true', messages],
  ['POST /messages', messages],
  ['POST /anthropic/v1/messages', messages],
  ['POST /v1/v1/messages', messages],
  ['POST /anthropic/v1/messages/count_tokens', { op: 'count', dialect: 'anthropic-messages' }],
  ['POST /v1beta/models/m:generateContent', gemini('m')],
  ['POST /v1/models/m:generateContent', gemini('m')],
  ['POST /v1alpha/models/m:generateContent', gemini('m')],
  ['POST /v1beta/v1beta/models/m:generateContent', gemini('m')],
  ['POST /gemini/v1beta/models/m:generateContent', gemini('m')],
  ['POST /models/m:generateContent', gemini('m')],
  ['POST /v1beta/models/m:streamGenerateContent?alt=sse', gemini('m', true)],
  ['POST /v1beta/models/m:streamGenerateContent?key=k&alt=sse', gemini('m', true)],
  ['POST /v1beta/models/m:streamGenerateContent', gemini('m', true, true)],
  ['POST /v1beta/models/m:streamGenerateContent?alt=json', gemini('m', true, true)],
  ['POST /v1beta/models/openrouter/meta/llama-4:free:generateContent', gemini('openrouter/meta/llama-4:free')],
  ['POST /v1beta/models/openrouter%2Fmeta%2Fllama-4%3Afree:generateContent', gemini('openrouter/meta/llama-4:free')],
  ['POST /v1beta/models/%E4%BD%A0%E5%A5%BD:generateContent', gemini('你好')],
  ['POST /v1beta/models/bad%zz:generateContent', gemini('bad%zz')],
  ['POST /v1beta/models/m:countTokens', { op: 'count', dialect: 'gemini', model: 'm', array: false }],
  ['GET /v1/models', { op: 'models', dialect: 'openai-chat' }],
  ['GET /v1/models/', { op: 'models', dialect: 'openai-chat' }],
  ['HEAD /v1/models', { op: 'models', dialect: 'openai-chat' }],
  ['GET /v1beta/models', { op: 'models', dialect: 'gemini' }],
  ['GET /v1/models?key=k', { op: 'models', dialect: 'gemini' }],
  ['GET /anthropic/v1/models', { op: 'models', dialect: 'anthropic-messages' }],
  ['GET /gemini/v1beta/models/m', { op: 'model', dialect: 'gemini', model: 'm' }],
  ['GET /v1/models/sim/echo', { op: 'model', dialect: 'openai-chat', model: 'sim/echo' }],
  ['GET /v1/models/sim%2Fecho', { op: 'model', dialect: 'openai-chat', model: 'sim/echo' }],
  ['GET /', { op: 'hello', dialect: 'openai-chat' }],
  ['HEAD /', { op: 'hello', dialect: 'openai-chat' }],
  ['HEAD /api/hello', { op: 'hello', dialect: 'openai-chat' }],
  ['GET /anthropic', { op: 'hello', dialect: 'anthropic-messages' }],
]

for (const [line, expected] of table)
  test(`${line}`, () => {
    const found: Record<string, unknown> = { ...match(line) }
    for (const [name, value] of Object.entries(expected)) assert.equal(found[name], value, name)
  })

test('the list of models takes the shape of whoever asks', () => {
  assert.equal(match('GET /v1/models', { 'anthropic-version': '2023-06-01' }).dialect, 'anthropic-messages')
  assert.equal(match('GET /v1/models', { 'x-goog-api-key': 'k' }).dialect, 'gemini')
  assert.equal(match('GET /v1/models', { 'x-goog-api-client': 'genai' }).dialect, 'gemini')
  assert.equal(match('GET /v1/models', { authorization: 'Bearer k' }).dialect, 'openai-chat')
  assert.equal(
    match('GET /openai/v1/models', { 'anthropic-version': '2023-06-01' }).dialect,
    'openai-chat',
    'a prefix says more than a header',
  )
})

test('a path that exists for another method says which', () => {
  for (const [line, allow] of [
    ['GET /v1/chat/completions', 'POST'],
    ['DELETE /v1/messages', 'POST'],
    ['GET /v1beta/models/m:generateContent', 'POST'],
    ['PUT /openai/deployments/d/chat/completions', 'POST'],
    ['POST /v1/models', 'GET'],
    ['POST /', 'GET, HEAD'],
  ] as const) {
    const found = match(line)
    assert.equal(found.op, 'wrong-method', line)
    assert.equal('allow' in found && found.allow, allow, line)
  }
})

test('an upgrade is an upgrade on responses only', () => {
  assert.equal(match('GET /v1/responses', { upgrade: 'WebSocket' }).op, 'upgrade')
  assert.equal(match('GET /v1/responses').op, 'wrong-method')
  assert.equal(match('GET /v1/chat/completions', { upgrade: 'websocket' }).op, 'wrong-method')
})

test('what is not there is unknown, whatever it is called', () => {
  for (const path of [
    '/v2/chat',
    '/v1/chat',
    '/v1beta/models/m:constructor',
    '/v1beta/models/m:__proto__',
    '/__proto__',
    '/constructor',
    '/v1',
    '/openai/deployments/d/x',
  ])
    assert.ok(['unknown', 'hello'].includes(match(`POST ${path}`).op) || path === '/v1', path)
  assert.equal(match('POST /v1beta/models/m:constructor').op, 'unknown')
  assert.equal(match('POST /openaix/v1/nowhere').dialect, 'openai-chat')
  assert.equal(match('POST /anthropic/v9/nowhere').dialect, 'anthropic-messages')
})
