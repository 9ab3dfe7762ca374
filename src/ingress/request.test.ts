/** Credentials, controls, bodies: what is read of a request before anything is done with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/error.ts'
import { bytesOf, emptyBody, type Headers } from '../core/http.ts'
import { readControls } from './controls.ts'
import { credentialOf } from './credential.ts'
import { readBody } from './read-body.ts'

const from = (headers: Headers, query = ''): string | undefined =>
  credentialOf({ method: 'POST', path: '/', query, headers, body: emptyBody })

test('the caller’s key is found wherever an SDK puts it', () => {
  assert.equal(from({ authorization: 'Bearer k' }), 'k')
  assert.equal(from({ authorization: 'bearer   k' }), 'k')
  assert.equal(from({ 'x-api-key': 'k' }), 'k')
  assert.equal(from({ 'api-key': 'k' }), 'k')
  assert.equal(from({ 'x-goog-api-key': 'k' }), 'k')
  assert.equal(from({}, 'alt=sse&key=k'), 'k')
  assert.equal(from({}, 'key=a%2Bb'), 'a+b')
  assert.equal(from({}, 'monkey=k'), undefined)
  assert.equal(from({}), undefined)
  assert.equal(from({ authorization: 'Basic k' }), undefined)
})

test('a bearer token wins over the other places', () => {
  assert.equal(from({ authorization: 'Bearer a', 'x-api-key': 'b', 'x-goog-api-key': 'c' }, 'key=d'), 'a')
})

const faultOf = (run: () => unknown): GatewayError => {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('controls are read from headers and from the body; the header wins', () => {
  const controls = readControls(
    { 'x-signalbox-timeout': '5s', 'x-signalbox-strict': 'true', 'x-signalbox-metadata': '{"team":"a"}', 'x-signalbox-max-cost': '0.05' },
    { timeout: '9s', region: 'eu', inlineCost: true, maxLatency: '800ms' },
  )
  assert.equal(controls.timeoutMs, 5_000)
  assert.equal(controls.strict, true)
  assert.deepEqual(controls.metadata, { team: 'a' })
  assert.equal(controls.maxCost, 50_000_000n)
  assert.equal(controls.region, 'eu')
  assert.equal(controls.inlineCost, true)
  assert.equal(controls.maxLatencyMs, 800)
})

test('a bad control is a 400 that names it', () => {
  const bad: readonly [Headers, unknown, string][] = [
    [{ 'x-signalbox-timeout': '5' }, undefined, 'x-signalbox-timeout'],
    [{ 'x-signalbox-timeout': '0s' }, undefined, 'x-signalbox-timeout'],
    [{ 'x-signalbox-timeout': '-1s' }, undefined, 'x-signalbox-timeout'],
    [{ 'x-signalbox-max-cost': '-1' }, undefined, 'x-signalbox-max-cost'],
    [{ 'x-signalbox-max-cost': '1e3' }, undefined, 'x-signalbox-max-cost'],
    [{ 'x-signalbox-max-cost': '' }, undefined, 'x-signalbox-max-cost'],
    [{ 'x-signalbox-strict': 'yes' }, undefined, 'x-signalbox-strict'],
    [{ 'x-signalbox-metadata': '[1]' }, undefined, 'x-signalbox-metadata'],
    [{ 'x-signalbox-metadata': '{' }, undefined, 'x-signalbox-metadata'],
    [{ 'x-signalbox-restart': 'maybe' }, undefined, 'x-signalbox-restart'],
    [{}, { timeout: 5 }, 'signalbox.timeout'],
    [{}, { maxCost: {} }, 'signalbox.maxCost'],
    [{}, { nonsense: 1 }, 'signalbox.nonsense'],
    [{}, { constructor: 1 }, 'signalbox.constructor'],
    [{}, [], 'signalbox'],
    [{}, 'strict', 'signalbox'],
  ]
  for (const [headers, body, path] of bad) {
    const error = faultOf(() => readControls(headers, body))
    assert.equal(error.status, 400, path)
    assert.equal(error.path, path)
    assert.ok(error.message.includes(path), error.message)
  }
})

test('nothing said is nothing controlled, and foreign headers are none of ours', () => {
  assert.deepEqual(readControls({ 'x-signalbox-unheard-of': '1', 'x-other': '2' }, undefined), {})
  assert.deepEqual(readControls({}, null), {})
})

const limits = { bytes: 1_000, depth: 5 }

test('a body is read as text and as an object', () => {
  const text = '{"model":"m", "n": 1.0}'
  const incoming = readBody(bytesOf(text), limits)
  assert.equal(incoming.text, text)
  assert.deepEqual(incoming.json, { model: 'm', n: 1 })
  assert.ok(incoming.scan.members.has('n'))
})

test('limits hold to the byte and to the level', () => {
  const exact = `{"a":"${'x'.repeat(992)}"}`
  assert.equal(bytesOf(exact).length, 1_000)
  readBody(bytesOf(exact), limits)
  assert.equal(faultOf(() => readBody(bytesOf(`${exact} `), limits)).id, 'too-large')
  readBody(bytesOf('{"a":[[[[1]]]]}'), limits)
  assert.equal(faultOf(() => readBody(bytesOf('{"a":[[[[[1]]]]]}'), limits)).id, 'invalid-request')
})
