/** What stands between an encoder's frames and the caller: signs of life, and Gemini's JSON array. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, type Chunk } from '../core/http.ts'
import { JsonArrayReader } from '../wire/gemini/json-array.ts'
import { arrayOfFrames } from './json-array.ts'
import { withKeepAlive } from './keep-alive.ts'

async function* frames(...pieces: readonly (Chunk | number | Error)[]): AsyncGenerator<Chunk> {
  for (const piece of pieces) {
    if (typeof piece === 'number') await sleep(piece)
    else if (piece instanceof Error) throw piece
    else yield piece
  }
}

async function text(chunks: AsyncIterable<Chunk>): Promise<string> {
  let all = ''
  for await (const chunk of chunks) all += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk)
  return all
}

test('silence is filled with signs of life; frames stay in order', async () => {
  const all = await text(withKeepAlive(frames('a', 100, 'b', 'c'), '.', 30))
  assert.match(all, /^a\.{1,4}bc$/)
})

test('a lively stream has no signs of life', async () => {
  assert.equal(await text(withKeepAlive(frames('a', 5, 'b', 5, 'c'), '.', 200)), 'abc')
})

test('an error comes through, and the source is let go', async () => {
  await assert.rejects(text(withKeepAlive(frames('a', new Error('broken')), '.', 30)), /broken/)
  let released = false
  async function* source(): AsyncGenerator<Chunk> {
    try {
      for (;;) yield 'x'
    } finally {
      released = true
    }
  }
  for await (const _ of withKeepAlive(source(), '.', 30)) break
  assert.equal(released, true)
})

test('frames become the elements of one array, however they are cut', async () => {
  const whole = 'data: {"a":1}\n\n: ping\n\ndata: {"b":"é"}\r\n\r\n'
  for (let cut = 0; cut <= bytesOf(whole).length; cut++) {
    const bytes = bytesOf(whole)
    const all = await text(arrayOfFrames(frames(bytes.subarray(0, cut), bytes.subarray(cut))))
    assert.equal(all, '[{"a":1}\n,\r\n{"b":"é"}\n]')
  }
})

test('the array is what the wire itself reads, item by item, however it is cut', async () => {
  const all = await text(arrayOfFrames(frames('data: {"a":["]"]}\n\n', 'data: {"b":"}"}\n\n')))
  for (let cut = 0; cut <= all.length; cut++) {
    const reader = new JsonArrayReader(1_000)
    assert.deepEqual([...reader.push(all.slice(0, cut)), ...reader.push(all.slice(cut))], ['{"a":["]"]}', '{"b":"}"}'])
    assert.equal(reader.closed, true)
  }
})

test('no frames are an empty array', async () => {
  assert.equal(await text(arrayOfFrames(frames())), '[]')
  assert.equal(await text(arrayOfFrames(frames(': ping\n\n'))), '[]')
})
