/** The contract of all wires against what providers really sent. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { WireId } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { fold } from '../core/fold.ts'
import { isObject, type JsonObject, parseJson, stringOf } from '../core/json.ts'
import { wires } from './index.ts'
import { decode, merged, type Picture, pictureOf, streamOf, wholeOf } from './wires.fixtures.ts'

const folder = fileURLToPath(new URL('../../../shared/recordings', import.meta.url))
const skip = existsSync(folder) ? false : 'the recordings are not beside the project'
const ENDPOINTS: { readonly [endpoint: string]: WireId } = {
  'chat.completions': 'openai-chat',
  responses: 'openai-responses',
  messages: 'anthropic-messages',
  generateContent: 'gemini',
}

interface Recording {
  readonly id: string
  readonly streamed: boolean
  readonly status: number
  readonly body: string
}

function* recordingsOf(wire: WireId): Generator<Recording> {
  for (const provider of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
    for (const [endpoint, id] of Object.entries(ENDPOINTS)) {
      const place = `${folder}/${provider.name}/${endpoint}`
      if (id !== wire || !existsSync(place)) continue
      for (const file of readdirSync(place)) {
        const { response, stream }: JsonObject = JSON.parse(readFileSync(`${place}/${file}`, 'utf8'))
        if (!isObject(response) || response['encoding'] === 'base64') continue
        yield {
          id: `${provider.name}/${endpoint}/${file}`,
          streamed: stream === true,
          status: Number(response['status']),
          body: stringOf(response['body']) ?? '',
        }
      }
    }
}

const COMPARED = new Set(['stop', 'length', 'tool-calls', 'filter'])

/**
 * Replies that every dialect has room for: no items of a vendor's own, arguments that are objects, no explanation that
 * some dialects tell in words, no marks of thinking inside the words.
 */
function isCommon(events: readonly Event[]): boolean {
  const { parts, end } = fold(events)
  const { finish, said } = pictureOf(fold(events))
  return (
    COMPARED.has(finish ?? '') &&
    end?.explanation === undefined &&
    !/^\s*<think/.test(said) &&
    parts.every((part) => part.kind !== 'whole' && !part.freeform && (part.kind !== 'tool-call' || isObject(parseJson(part.text || '{}'))))
  )
}

function assertSame(after: Picture, before: Picture, what: string): void {
  assert.equal(after.said.trim(), before.said.trim(), `words, ${what}`)
  assert.deepEqual(after.calls, before.calls, `calls, ${what}`)
  assert.equal(after.finish, before.finish, `ending, ${what}`)
  if (before.input !== undefined) assert.equal(after.input, before.input, `input tokens, ${what}`)
  if (before.output !== undefined) assert.equal(after.output, before.output, `output tokens, ${what}`)
  if (before.cacheRead) assert.equal(after.cacheRead, before.cacheRead, `cached tokens, ${what}`)
}

for (const wire of wires.values()) {
  test(`${wire.id}: every recorded answer is read, and however it is cut the events are the same`, { skip }, () => {
    let read = 0
    for (const { id, streamed, status, body } of recordingsOf(wire.id)) {
      if (status >= 400) {
        assert.ok(wire.decodeError(status, body).message.length > 0, id)
        continue
      }
      const whole = decode(wire, body, streamed)
      const last = whole.at(-1)
      assert.ok(last?.type === 'reply-end' || last?.type === 'error', id)
      assert.equal(whole.filter(({ type }) => type === 'reply-end' || type === 'error').length, 1, id)
      assert.deepEqual(comparable(decode(wire, body, streamed, 1 + (body.length % 97))), comparable(whole), id)
      read++
    }
    assert.ok(read > 100)
  })

  test(`${wire.id}: a recorded answer says the same after it has been through any dialect, whole and streamed`, { skip }, () => {
    let number = 0
    for (const { id, streamed, status, body } of recordingsOf(wire.id)) {
      // Each dialect gets its share.
      const dialect = [...wires.values()][number++ % wires.size]
      if (status >= 400 || !dialect) continue
      const events = decode(wire, body, streamed)
      if (!isCommon(events)) continue
      const before = pictureOf(fold(events))
      assertSame(pictureOf(fold(decode(dialect, streamOf(dialect, events), true))), before, `${id} streamed through ${dialect.id}`)
      assertSame(pictureOf(fold(decode(dialect, wholeOf(dialect, events), false))), before, `${id} through ${dialect.id}`)
    }
  })
}

/** Errors are compared by what they say. */
const comparable = (events: readonly Event[]): unknown[] =>
  merged(events).map((event) => (event.type === 'error' ? [event.error.id, event.error.message] : event))
