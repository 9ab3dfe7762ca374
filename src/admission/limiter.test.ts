import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter } from './limiter.ts'

test('it begins low and makes room at once for calls that wait, as long as the loop is not late', () => {
  const limiter = new Limiter()
  assert.equal(limiter.limit, 256)
  for (let tick = 0; tick < 6; tick++) limiter.makeRoom(1)
  assert.ok(limiter.limit > 900, String(limiter.limit))
  const { limit } = limiter
  limiter.makeRoom(60)
  assert.equal(limiter.limit, limit)
  for (let tick = 0; tick < 20; tick++) limiter.makeRoom(1)
  assert.equal(limiter.limit, 2_000)
})

test('first tokens that take more than twice as long as usual shrink the limit, while the process is late itself', () => {
  const limiter = new Limiter({ max: 400, first: 400 })
  for (let i = 0; i < 100; i++) limiter.sample('a/m', 100)
  limiter.adjust({ inFlight: 300, delayMs: 40 })
  assert.equal(limiter.limit, 400)
  for (let i = 0; i < 20; i++) limiter.sample('a/m', 600)
  limiter.adjust({ inFlight: 300, delayMs: 40 })
  assert.ok(limiter.limit < 400, String(limiter.limit))
})

test('a provider that has become slow is no congestion of a calm process', () => {
  const limiter = new Limiter({ max: 400, first: 400 })
  for (let i = 0; i < 100; i++) limiter.sample('a/m', 100)
  limiter.adjust({ inFlight: 300, delayMs: 0 })
  for (let i = 0; i < 20; i++) limiter.sample('a/m', 5_000)
  limiter.adjust({ inFlight: 300, delayMs: 5 })
  assert.equal(limiter.limit, 400)
})

test('targets are compared with themselves: a slow model beside a quick one is nothing unusual', () => {
  const limiter = new Limiter({ max: 400, first: 400 })
  for (let i = 0; i < 200; i++) {
    limiter.sample('a/quick', 50)
    limiter.sample('b/slow', 20_000)
    if (i % 10 === 0) limiter.adjust({ inFlight: 300, delayMs: 60 })
  }
  assert.equal(limiter.limit, 400)
})

test('a late event loop shrinks it with no samples at all, and calm lets it grow again, but only while it is used', () => {
  const limiter = new Limiter({ max: 1_000, first: 1_000 })
  for (let i = 0; i < 10; i++) limiter.adjust({ inFlight: 900, delayMs: 250 })
  const low = limiter.limit
  assert.ok(low < 200, String(low))
  for (let i = 0; i < 50; i++) limiter.adjust({ inFlight: Math.floor(limiter.limit / 2) - 1, delayMs: 0 })
  assert.equal(limiter.limit, low)
  for (let i = 0; i < 50; i++) limiter.adjust({ inFlight: limiter.limit, delayMs: 0 })
  assert.equal(limiter.limit, 1_000)
})

test('where refusing is what makes the process late, the limit does not shrink: fewer places would mean more refusals', () => {
  const limiter = new Limiter({ max: 400, first: 400 })
  limiter.adjust({ inFlight: 400, delayMs: 300, started: 100, refused: 50 })
  const limit = limiter.limit
  assert.ok(limit < 400)
  for (let i = 0; i < 4; i++) limiter.adjust({ inFlight: limit, delayMs: 300, started: 20, refused: 500 })
  assert.ok(limiter.limit >= limit)
})

test('another upper end takes hold at once, and leaves what was learnt', () => {
  const limiter = new Limiter({ max: 500, first: 400 })
  limiter.max = 800
  assert.equal(limiter.limit, 400)
  limiter.max = 100
  assert.equal(limiter.limit, 100)
})

/** A process with one processor: calls that take it `workMs` each, of which more run at a time than it can serve. */
function congested(seed: number): { readonly limits: readonly number[]; readonly delays: readonly number[] } {
  let state = seed
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const workMs = 0.2 + random() * 0.8
  const limiter = new Limiter({ first: 2_000 })
  const limits: number[] = []
  const delays: number[] = []
  for (let i = 0; i < 200; i++) {
    // Everybody who may run does; one turn of the loop serves all of them.
    const delayMs = limiter.limit * workMs * (0.8 + 0.4 * random())
    for (let n = 0; n < 20; n++) limiter.sample('a/m', 100 + delayMs * (0.5 + random()))
    limiter.adjust({ inFlight: limiter.limit, delayMs })
    limits.push(limiter.limit)
    delays.push(delayMs)
  }
  return { limits, delays }
}

test('in 500 congested processes the limit settles where the loop is about as late as it may be, and stays within its bounds', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const { limits, delays } = congested(seed)
    assert.ok(
      limits.every((limit) => limit >= 20 && limit <= 2_000),
      `seed ${seed}`,
    )
    const late = delays.slice(-50).reduce((sum, delay) => sum + delay, 0) / 50
    assert.ok(late < 150, `seed ${seed}: ${late} ms`)
    // Nor does it give away what the process could bear.
    assert.ok(late > 25, `seed ${seed}: ${late} ms`)
  }
})
