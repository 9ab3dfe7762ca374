import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultId, GatewayError, type GatewayErrorOptions } from '../core/error.ts'
import { backoffMs } from './backoff.ts'
import { isPolicy, isTooLong, nextStep, type Situation } from './recovery.ts'

const fault = (id: FaultId, options?: GatewayErrorOptions, message = 'words') => new GatewayError(id, message, options)

const step = (id: FaultId, situation: Partial<Situation> = {}) =>
  nextStep({
    fault: fault(id),
    tries: 1,
    attempts: 2,
    anotherKey: false,
    failing: false,
    remainingMs: 60_000,
    usualMs: undefined,
    random: () => 0.5,
    mayRetry: () => true,
    ...situation,
  })

test('a server error is tried again at the same target, after a pause', () => {
  assert.deepEqual(step('upstream-failed'), { step: 'same', afterMs: 50 })
  assert.deepEqual(step('upstream-failed', { tries: 2, attempts: 3 }), { step: 'same', afterMs: 100 })
})

test('the next target follows when attempts, patience, time or budget are used up', () => {
  assert.deepEqual(step('upstream-failed', { tries: 2 }), { step: 'target' })
  assert.deepEqual(step('upstream-failed', { failing: true }), { step: 'target' })
  assert.deepEqual(step('upstream-failed', { mayRetry: () => false }), { step: 'target' })
  assert.deepEqual(step('upstream-failed', { remainingMs: 40 }), { step: 'target' })
  assert.deepEqual(step('upstream-failed', { remainingMs: 900, usualMs: 1_000 }), { step: 'target' })
  assert.deepEqual(step('upstream-failed', { fault: fault('upstream-failed', { retryAfterMs: 6_000 }) }), { step: 'target' })
})

test('a provider that says when to come back is not asked before', () => {
  assert.deepEqual(step('upstream-overloaded', { fault: fault('upstream-overloaded', { retryAfterMs: 2_000 }) }), {
    step: 'same',
    afterMs: 2_000,
  })
})

test('no budget is used where no retry would follow', () => {
  const mayRetry = () => assert.fail('asked for nothing')
  step('upstream-failed', { tries: 2, mayRetry })
  step('upstream-rejected', { mayRetry })
  step('upstream-rate-limited', { mayRetry })
  step('upstream-timeout', { mayRetry })
})

test('another key follows a refused or limited one, else another target', () => {
  for (const id of ['upstream-credential', 'upstream-rate-limited'] as const) {
    assert.deepEqual(step(id, { anotherKey: true }), { step: 'key' })
    assert.deepEqual(step(id), { step: 'target' })
  }
})

test('a timeout and an unknown model go to the next target, what the caller did wrong nowhere', () => {
  assert.deepEqual(step('upstream-timeout'), { step: 'target' })
  assert.deepEqual(step('upstream-not-found'), { step: 'target' })
  assert.deepEqual(step('upstream-rejected'), { step: 'stop' })
  assert.deepEqual(step('deadline'), { step: 'stop' })
})

test('input that is too long is known by the words of every vendor', () => {
  for (const [message, providerCode] of [
    ['This model’s maximum context length is 8192 tokens. However, you requested 9000 tokens', 'context_length_exceeded'],
    ['prompt is too long: 210000 tokens > 200000 maximum', 'invalid_request_error'],
    ['The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).', 'INVALID_ARGUMENT'],
    ['Input is too long for requested model.', 'ValidationException'],
    ['Please reduce the length of the messages or completion.', 'context_length_exceeded'],
  ] as const) {
    const error = fault('upstream-rejected', { providerCode }, message)
    assert.ok(isTooLong(error), message)
    assert.deepEqual(step('upstream-rejected', { fault: error }), { step: 'larger' })
  }
  assert.equal(isTooLong(fault('upstream-rejected', {}, 'Invalid value for `temperature`')), false)
  assert.equal(isTooLong(fault('upstream-failed', {}, 'context length')), false)
})

test('a refusal by policy is known too', () => {
  for (const message of [
    'Your request was rejected as a result of our safety system.',
    'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
    'The response was filtered due to the prompt triggering Azure OpenAI’s content management policy.',
  ])
    assert.ok(isPolicy(fault('upstream-rejected', {}, message)), message)
  assert.ok(isPolicy(fault('upstream-rejected', { providerCode: 'content_policy_violation' })))
  assert.equal(isPolicy(fault('upstream-rejected', {}, 'Unknown parameter: policy_name')), false)
})

test('pauses double, with full jitter, up to five seconds', () => {
  const most = (tries: number): number => backoffMs(tries, undefined, () => 1)
  assert.deepEqual([1, 2, 3, 6, 7, 50].map(most), [100, 200, 400, 3_200, 5_000, 5_000])
  assert.equal(
    backoffMs(4, undefined, () => 0),
    0,
  )
})
