/** What Google's API and its clients really sent: recorded exchanges, read where they lie and never copied. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { ChatCall } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import { arrayOf, isObject, type JsonObject, parseJson } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { gemini } from './wire.ts'

const root = new URL('../../../../shared/recordings/', import.meta.url)
const target = { provider: 'g', model: 'm', wire: 'gemini', capabilities: {}, quirks: {} } as const

interface Recording {
  readonly id: string
  readonly stream: boolean
  readonly request?: { readonly body?: JsonObject }
  readonly response: { readonly status: number; readonly body?: string }
}

function recordings(): Recording[] {
  return readdirSync(root).flatMap((provider) => {
    const folder = new URL(`${provider}/generateContent/`, root)
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')))
  })
}

function decode(text: string, streamed: boolean, size: number): Event[] {
  const decoder = gemini.replyDecoder({ streamed, target })
  const bytes = new TextEncoder().encode(text)
  const events: Event[] = []
  for (let start = 0; start < bytes.length; start += size) events.push(...decoder.push(bytes.subarray(start, start + size)))
  return [...events, ...decoder.end()]
}

/** Neighbouring words of one part as one. */
function joined(events: readonly Event[]): Event[] {
  const list: Event[] = []
  for (const event of events) {
    const last = list.at(-1)
    if (event.type === 'text-delta' && last?.type === 'text-delta' && last.index === event.index)
      list[list.length - 1] = { ...last, text: last.text + event.text }
    else list.push(event)
  }
  return list
}

/** A plain answer as Google would have streamed it, part by part. */
function asStream(body: JsonObject): string | undefined {
  const [candidate] = arrayOf(body['candidates'])
  if (!isObject(candidate) || !isObject(candidate['content']) || candidate['finishReason'] === undefined) return undefined
  const { content, ...end } = candidate
  const parts = isObject(content) ? arrayOf(content['parts']) : []
  const chunks = [
    ...parts.map((part) => ({ ...body, candidates: [{ content: { role: 'model', parts: [part] } }] })),
    { ...body, candidates: [end] },
  ]
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('')
}

/** A call without the places where its parts stood: spelling and grouping may differ. */
const withoutPaths = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutPaths)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([key]) => key !== 'path' && key !== 'paths' && key !== 'own' && key !== 'why')
            .map(([key, member]) => [plain(key), withoutPaths(member)]),
        )
      : value
/** Functions are declared first, and the vendor's own tools after them. */
const comparable = (call: ChatCall): unknown =>
  withoutPaths({ ...call, tools: call.tools.toSorted((one, other) => Number(one.type === 'hosted') - Number(other.type === 'hosted')) })
const plain = (key: string): string => key.toLowerCase().replaceAll('_', '')

describe('recordings', { skip: existsSync(root) ? false : 'the shared recordings are not here' }, () => {
  const all = existsSync(root) ? recordings() : []
  const read = all.filter(({ response }) => response.status < 400 && response.body)

  test('every answer decodes, and any splitting gives the same events', () => {
    assert.ok(read.length > 100)
    for (const { id, stream, response } of read) {
      const text = response.body ?? ''
      const whole = joined(decode(text, stream, text.length * 4))
      const last = whole.at(-1)?.type
      assert.ok(last === 'reply-end' || last === 'error', id)
      for (const size of [11, 997]) assert.deepEqual(joined(decode(text, stream, size)), whole, id)
    }
  })

  test('a plain answer folds to the same reply when it is streamed part by part', () => {
    let compared = 0
    for (const { id, stream, response } of read) {
      const body = stream ? undefined : parseJson(response.body ?? '')
      const text = isObject(body) ? asStream(body) : undefined
      if (text === undefined) continue
      compared++
      assert.deepEqual(fold(decode(text, true, 4096)), fold(decode(response.body ?? '', false, 4096)), id)
    }
    assert.ok(compared > 50)
  })

  test('every error answer has words', () => {
    for (const { id, response } of all.filter(({ response }) => response.status >= 400))
      assert.ok(gemini.decodeError(response.status, response.body ?? '').message, id)
  })

  test('a request that is decoded, encoded and decoded again is the same call', () => {
    let compared = 0
    for (const { id, request, response } of all) {
      const body = request?.body
      if (!isObject(body) || !body['contents'] || response.status >= 400) continue
      compared++
      const call = gemini.decodeCall(body, { model: 'm' })
      const notes = new Notes()
      const again = gemini.encodeCall(call, target, notes).body
      assert.deepEqual(comparable(gemini.decodeCall(again, { model: 'm' })), comparable(call), id)
      assert.deepEqual(notes.drops, [], id)
    }
    assert.ok(compared > 100)
  })
})
