import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisLink, type RedisLinkOptions } from './redis-link.ts'

/** One at a time, in order, each in so many milliseconds; undefined: never. */
function server(eachMs: () => number | undefined) {
  let last: Promise<unknown> = Promise.resolve()
  const connect: RedisLinkOptions['connect'] = async () => ({
    sendCommand([word]) {
      const ms = eachMs()
      last = ms === undefined ? new Promise(() => {}) : last.then(() => sleep(ms, word))
      return last
    },
    destroy: () => {},
  })
  return connect
}

async function linkTo(connect: RedisLinkOptions['connect'], more: Partial<RedisLinkOptions> = {}) {
  const link = createRedisLink({ connect, ...more })
  await new Promise<void>((resolve) => link.onUp(resolve))
  return link
}

/** Nothing else happens in this process. */
function block(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('a burst takes its turns: nothing is given up while others are answered', async (t) => {
  const link = await linkTo(server(() => 8))
  t.after(() => link.close())
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => link.command([`${at}`])))
  assert.equal(answers.length, 40)
  assert.equal(link.up, true)
})

test('a burst that is answered all at once, later, is waited for', async (t) => {
  const connect: RedisLinkOptions['connect'] = async () => ({ sendCommand: () => sleep(100, 'OK'), destroy: () => {} })
  const link = await linkTo(connect)
  t.after(() => link.close())
  assert.equal((await Promise.all(Array.from({ length: 200 }, () => link.command(['x'])))).length, 200)
})

test('a process that is late itself does not blame Redis', async (t) => {
  const link = await linkTo(server(() => 5))
  t.after(() => link.close())
  const asked = link.command(['x'])
  block(400)
  assert.equal(await asked, 'x')
  assert.equal(link.up, true)
})

test('one that never answers is given up: its command soon, the connection after a while', async (t) => {
  const told: string[] = []
  const link = await linkTo(
    server(() => undefined),
    { onChange: (up, why) => told.push(`${up} ${why}`) },
  )
  t.after(() => link.close())
  const began = performance.now()
  await assert.rejects(link.command(['x']), { id: 'store-unavailable' })
  assert.ok(performance.now() - began < 200)
  for (const until = began + 3_000; told.length === 0 && performance.now() < until; ) await link.command(['x']).catch(() => {})
  assert.deepEqual(told.slice(0, 1), ['false it does not answer'])
})

test('under load, one that falls silent is given up as well, however many wait', async (t) => {
  let silent = false
  const told: string[] = []
  const link = await linkTo(
    server(() => (silent ? undefined : 0)),
    { onChange: (_, why) => told.push(why), queueMs: 10_000 },
  )
  t.after(() => link.close())
  await link.command(['x'])
  silent = true
  const began = performance.now()
  const all = await Promise.allSettled(Array.from({ length: 2_000 }, () => link.command(['x'])))
  assert.ok(all.every(({ status }) => status === 'rejected'))
  assert.ok(performance.now() - began < 3_000, `${performance.now() - began}`)
  assert.equal(told[0], 'it does not answer')
})
