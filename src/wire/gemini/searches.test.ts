import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { gemini } from './wire.ts'

const target = { provider: 'g', model: 'm', wire: 'gemini', capabilities: {}, quirks: {} } as const
const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }
const web = { web: { uri: 'https://a.example', title: 'A' } }
const map = { maps: { uri: 'https://maps.example/1', title: 'B' } }

interface Said {
  readonly webSearches?: number | undefined
  readonly searchPrompts?: number | undefined
  readonly mapPrompts?: number | undefined
}
const searched = (usage: Said | undefined) => [usage?.webSearches, usage?.searchPrompts, usage?.mapPrompts]

const answer = (...groundings: readonly (JsonObject | undefined)[]): JsonObject => ({
  candidates: groundings.map((groundingMetadata, index) => ({
    index,
    content: { role: 'model', parts: [{ text: 'Hi' }] },
    finishReason: 'STOP',
    ...(groundingMetadata && { groundingMetadata }),
  })),
  usageMetadata,
  modelVersion: 'm',
})

/** What each way of reading says: plain and streamed, passed through and translated. Grounding comes with the last frame, with an earlier one, or with both. */
function everyWay(...groundings: readonly (JsonObject | undefined)[]): readonly unknown[] {
  const body = answer(...groundings)
  const found: unknown[] = [searched(gemini.summarize(body, target).usage), searched(gemini.summarize([body], target).usage)]
  const text = JSON.stringify(body)
  const read = (sent: string, streamed: boolean): void => {
    const decoder = gemini.replyDecoder({ streamed, target })
    found.push(searched(fold([...decoder.push(Buffer.from(sent)), ...decoder.end()]).usage))
    if (!streamed) return
    const tap = gemini.streamTap(target, {})
    // Frame by frame: those that tell nothing are not read.
    for (const frame of sent.split(/(?<=\r\n\r\n)/)) tap.push(Buffer.from(frame))
    tap.end()
    assert.equal(tap.error, undefined)
    found.push(searched(tap.summary.usage))
  }
  read(text, false)
  const bare = answer(...groundings.map(() => undefined))
  const opening = { ...body, candidates: answer(...groundings)['candidates'], usageMetadata: { promptTokenCount: 10 } } as JsonObject
  const unfinished = {
    ...opening,
    candidates: (opening['candidates'] as JsonObject[]).map(({ finishReason: _, ...candidate }) => candidate),
  }
  for (const chunks of [[body], [unfinished, bare], [unfinished, body]])
    read(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join(''), true)
  return found
}

function assertEveryWay(expected: readonly (number | undefined)[], ...groundings: readonly (JsonObject | undefined)[]): void {
  for (const found of everyWay(...groundings)) assert.deepEqual(found, expected)
}

test('queries are counted once each, those that are empty not at all', () => {
  assertEveryWay([2, 1, undefined], { webSearchQueries: ['a', '', 'b', 'a'], groundingChunks: [web] })
  assertEveryWay([3, 1, undefined], { webSearchQueries: ['a', 'b'], imageSearchQueries: ['c'], groundingChunks: [web] })
})

test('a prompt counts as searched for once, when something was found on the web', () => {
  assertEveryWay([1, undefined, undefined], { webSearchQueries: ['a'] })
  assertEveryWay([1, 1, undefined], { webSearchQueries: ['a'], groundingChunks: [web, web] })
})

test('a map is no page of the web', () => {
  assertEveryWay([1, undefined, 1], { webSearchQueries: ['pizza near me'], groundingChunks: [map, map] })
  assertEveryWay([1, undefined, 1], { retrievalQueries: ['pizza near me'], groundingChunks: [map] })
  assertEveryWay([2, 1, 1], { webSearchQueries: ['a', 'b'], groundingChunks: [map, web] })
  assertEveryWay([undefined, undefined, 1], { groundingChunks: [map] })
})

test('pages that were opened and files that were looked into are no searches', () => {
  const nothing = [undefined, undefined, undefined]
  assertEveryWay(nothing, undefined)
  assertEveryWay(nothing, {})
  assertEveryWay(nothing, { groundingChunks: [web], groundingSupports: [] })
  assertEveryWay(nothing, { groundingChunks: [{ retrievedContext: { title: 'x' } }], retrievalQueries: ['x'] })
  assertEveryWay(nothing, { webSearchQueries: 'a', groundingChunks: [null, 1] })
})

test('all answers to a prompt count together', () => {
  const first = { webSearchQueries: ['a', 'b'], groundingChunks: [web] }
  assertEveryWay([3, 1, undefined], first, { webSearchQueries: ['b', 'c'], groundingChunks: [web] })
})

test('searches are told even where tokens are not', () => {
  const { usageMetadata: _, ...body } = answer({ webSearchQueries: ['a'], groundingChunks: [web] })
  assert.deepEqual(gemini.summarize(body, target).usage, { webSearches: 1, searchPrompts: 1 })
  const decoder = gemini.replyDecoder({ streamed: false, target })
  assert.deepEqual(fold([...decoder.push(Buffer.from(JSON.stringify(body))), ...decoder.end()]).usage, { webSearches: 1, searchPrompts: 1 })
})

test('the last sum is whole: what an earlier one counted of the answer beside it is not added', () => {
  const chunk = (counts: JsonObject, finishReason?: string) =>
    `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'x' }] }, ...(finishReason && { finishReason }) }], usageMetadata: counts })}\n\n`
  const stream =
    chunk({ promptTokenCount: 9, candidatesTokenCount: 21, thoughtsTokenCount: 35, totalTokenCount: 65 }) +
    chunk({ promptTokenCount: 87, thoughtsTokenCount: 78, totalTokenCount: 165 }, 'STOP')
  const decoder = gemini.replyDecoder({ streamed: true, target })
  const { usage } = fold([...decoder.push(Buffer.from(stream)), ...decoder.end()])
  const tap = gemini.streamTap(target, {})
  tap.push(Buffer.from(stream))
  tap.end()
  for (const said of [usage, tap.summary.usage]) assert.deepEqual([said?.input, said?.output, said?.reasoning], [87, 78, 78])
})
