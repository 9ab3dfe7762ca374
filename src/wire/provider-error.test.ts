import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../core/json.ts'
import { providerErrorOf, readProviderError, toldError } from './provider-error.ts'

const read = (value: Json, status = 400) => readProviderError(status, JSON.stringify(value))

test('reads every envelope in which vendors tell their errors', () => {
  const words = 'the words'
  for (const body of [
    { error: { message: words } },
    { error: words },
    { message: words },
    { detail: words },
    { detail: { message: words } },
    { type: 'error', error: { type: 'overloaded_error', message: words } },
    [{ error: { code: 429, message: words, status: 'RESOURCE_EXHAUSTED' } }],
    { object: 'error', message: words, type: 'invalid_model', code: '1500' },
    { error: { error: { message: words } } },
    { response: { error: { message: words } } },
    { errors: [{ message: words }] },
  ] satisfies Json[])
    assert.equal(read(body).message, words, JSON.stringify(body))
})

test('says where the provider sees the fault', () => {
  assert.equal(read({ error: { message: 'm', param: 'messages[0].role' } }).path, 'messages[0].role')
  const google = { error: { code: 400, message: 'm', status: 'INVALID_ARGUMENT', details: [{ fieldViolations: [{ field: 'contents' }] }] } }
  assert.deepEqual(read(google), { message: 'm', code: 'INVALID_ARGUMENT', path: 'contents' })
  const fastApi = { detail: [{ loc: ['body', 'messages', 0, 'role'], msg: 'field required' }] }
  assert.deepEqual(read(fastApi), { message: 'messages[0].role: field required', path: 'messages[0].role' })
})

test('keeps the words of the provider behind a proxy', () => {
  const wrapped = { error: { message: 'Provider returned error', code: 429, metadata: { raw: '{"error":{"message":"slow down"}}' } } }
  assert.equal(read(wrapped).message, 'Provider returned error: slow down')
  const plain = { error: { message: 'Provider returned error', metadata: { raw: 'upstream connect error' } } }
  assert.equal(read(plain).message, 'Provider returned error: upstream connect error')
})

test('knows how long to wait, from details and from words', () => {
  const google = { error: { message: 'm', details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.07s' }] } }
  assert.equal(read(google).retryAfterMs, 34_070)
  assert.equal(read({ error: { message: 'Please try again in 350ms.' } }).retryAfterMs, 350)
  assert.equal(read({ error: { message: 'Please try again in 1m12.5s.' } }).retryAfterMs, 72_500)
  assert.equal(read({ error: { message: 'Please try again in a while.' } }).retryAfterMs, undefined)
})

test('a page or a bare text becomes a short sentence', () => {
  assert.equal(
    readProviderError(502, '<html><head><title>502 Bad Gateway</title></head><body><h1>x</h1></body></html>').message,
    '502 Bad Gateway',
  )
  assert.equal(readProviderError(404, 'Not Found\n').message, 'Not Found')
  assert.ok(readProviderError(500, 'x'.repeat(10_000)).message.length < 600)
  assert.match(readProviderError(503, '').message, /503/)
  assert.match(readProviderError(503, '{}').message, /503/)
})

test('reads an error that is framed as an event', () => {
  assert.equal(readProviderError(404, 'data: {"error":{"message":"no model"}}\n\n').message, 'no model')
})

test('takes the fault from what is said, where no status tells it', () => {
  const fault = (error: Json): string => toldError({ error }).id
  assert.equal(fault({ message: 'm', type: 'rate_limit_error' }), 'upstream-rate-limited')
  assert.equal(fault({ message: 'm', code: 429 }), 'upstream-rate-limited')
  assert.equal(fault({ message: 'm', type: 'overloaded_error' }), 'upstream-overloaded')
  assert.equal(fault({ message: 'm', code: 503, status: 'UNAVAILABLE' }), 'upstream-overloaded')
  assert.equal(fault({ message: 'm', type: 'invalid_request_error' }), 'upstream-rejected')
  assert.equal(fault({ message: 'm', code: 500 }), 'upstream-failed')
  assert.equal(fault('boom'), 'upstream-failed')
})

test('an answer tells no error, and hostile nesting ends', () => {
  assert.equal(providerErrorOf({ id: 'x', choices: [] }), undefined)
  assert.equal(providerErrorOf(null), undefined)
  let deep: Json = { message: 'm' }
  for (let level = 0; level < 1000; level++) deep = { error: deep }
  assert.equal(providerErrorOf(deep), undefined)
})
