import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cancellation } from '../core/cancellation.ts'
import { lostRace, mayHedge, type Runner, race } from './hedge.ts'

/** Answers after a while; notes why it was cut off. */
function runner(ms: number, result: string | undefined, cut: unknown[] = []): Runner<string> {
  return (cancellation) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(result), ms)
      cancellation.onCancel((reason) => {
        clearTimeout(timer)
        cut.push(reason)
        reject(reason)
      })
    })
}

const run = (first: Runner<string>, second: Runner<string>, go = () => true, whole = new Cancellation()) =>
  race({ whole, first, second, afterMs: 20, go })

test('a first that is quick enough is alone', async () => {
  const second: Runner<string> = () => assert.fail('asked for nothing')
  assert.deepEqual(await run(runner(1, 'first'), second), { winner: 'first', hedged: false })
  assert.deepEqual(await run(runner(1, undefined), second), { winner: undefined, hedged: false })
})

test('the second wins over a slow first, which is cancelled', async () => {
  const cut: unknown[] = []
  assert.deepEqual(await run(runner(10_000, 'first', cut), runner(5, 'second')), { winner: 'second', hedged: true })
  assert.deepEqual(cut, [lostRace])
})

test('a first that comes after all wins over a slower second', async () => {
  const cut: unknown[] = []
  assert.deepEqual(await run(runner(40, 'first'), runner(10_000, 'second', cut)), { winner: 'first', hedged: true })
  assert.deepEqual(cut, [lostRace])
})

test('when one of the two fails, the other is waited for', async () => {
  assert.deepEqual(await run(runner(60, 'first'), runner(5, undefined)), { winner: 'first', hedged: true })
  assert.deepEqual(await run(runner(40, undefined), runner(60, 'second')), { winner: 'second', hedged: true })
  assert.deepEqual(await run(runner(40, undefined), runner(60, undefined)), { winner: undefined, hedged: true })
})

test('a second that refuses does not end the first; a first that refuses ends the call', async () => {
  const refuses = async (): Promise<never> => {
    throw new Error('refused')
  }
  assert.deepEqual(await run(runner(60, 'first'), refuses), { winner: 'first', hedged: true })
  await assert.rejects(run(refuses, runner(5, 'second')), /refused/)
})

test('without budget there is no second', async () => {
  const second: Runner<string> = () => assert.fail('asked for nothing')
  assert.deepEqual(await run(runner(40, 'first'), second, () => false), { winner: 'first', hedged: false })
})

test('a caller that hangs up ends both', async () => {
  const whole = new Cancellation()
  const cut: unknown[] = []
  const racing = run(runner(10_000, 'first', cut), runner(10_000, 'second', cut), () => true, whole)
  setTimeout(() => whole.cancel('gone'), 40)
  await assert.rejects(racing, (reason) => reason === 'gone')
  assert.deepEqual(cut, ['gone', 'gone'])
})

test('calls with tools may do something, so they are not sent twice', () => {
  assert.equal(mayHedge({ op: 'chat', json: {} }), true)
  assert.equal(mayHedge({ op: 'chat', json: { tools: [] } }), true)
  assert.equal(mayHedge({ op: 'chat', json: { tools: [{}] } }), false)
  assert.equal(mayHedge({ op: 'count', json: {} }), false)
})
