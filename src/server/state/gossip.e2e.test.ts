import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { withRedis } from '../../../test/services/redis.ts'
import { type Gossip, openGossip } from './gossip.ts'

interface Word {
  readonly said: string
}

function three(t: TestContext, options: { readonly url?: string; readonly threads: boolean }) {
  const heard: string[][] = [[], [], []]
  const all = heard.map(
    (list): Gossip<Word> => openGossip<Word>({ topic: 'a-topic', ...options, hear: ({ said }) => void list.push(said) }),
  )
  t.after(() => {
    for (const one of all) one.close()
  })
  return { heard, all }
}

async function until(holds: () => boolean, again: () => void = () => {}): Promise<void> {
  const limit = Date.now() + 10_000
  while (!holds()) {
    assert.ok(Date.now() < limit, 'it did not come to that')
    again()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('threads hear what another one says, and nobody hears themselves', async (t) => {
  const { heard, all } = three(t, { threads: true })
  all[0]?.tell({ said: 'hello' })
  await until(() => heard[1]?.length === 1 && heard[2]?.length === 1)
  assert.deepEqual(heard, [[], ['hello'], ['hello']])
})

test('replicas hear it through Redis, and again when Redis has been away', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  const { heard, all } = three(t, { url: redis.url, threads: false })
  // Whoever says something before the others listen is not heard: nothing is kept.
  await until(
    () => heard[1]?.includes('hello') === true && heard[2]?.includes('hello') === true,
    () => all[0]?.tell({ said: 'hello' }),
  )
  assert.deepEqual(heard[0], [])
  await redis.restart()
  await until(
    () => heard[0]?.includes('back') === true && heard[1]?.includes('back') === true,
    () => all[2]?.tell({ said: 'back' }),
  )
})

test('without Redis nothing breaks, and closing ends it', async () => {
  const alone = openGossip<Word>({ topic: 'a-topic', url: 'redis://127.0.0.1:1', threads: false, hear: () => assert.fail() })
  alone.tell({ said: 'hello' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  alone.close()
})
