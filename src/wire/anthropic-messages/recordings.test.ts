import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Event } from '../../core/event.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { targetOf } from './fixtures.ts'
import { anthropicMessages } from './wire.ts'

const root = new URL('../../../../shared/recordings/', import.meta.url)
const skip = existsSync(root) ? false : 'the shared recordings are not here'

interface Recording {
  readonly id: string
  readonly stream: boolean
  readonly request?: { readonly method?: string; readonly body?: Json; readonly headers?: Record<string, string> }
  readonly response: { readonly status: number; readonly body?: string; readonly encoding?: string }
}

function recordings(): Recording[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/messages/`, root)))
    .flatMap(({ name }) => {
      const folder = new URL(`${name}/messages/`, root)
      return readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Recording)
    })
}

const all = skip ? [] : recordings()

/** Words of one part that follow each other are one event: chunks decide how they are split. */
function merged(events: readonly Event[]): Event[] {
  const result: Event[] = []
  for (const event of events) {
    const last = result.at(-1)
    if (event.type === 'text-delta' && last?.type === 'text-delta' && last.index === event.index)
      result[result.length - 1] = { ...last, text: last.text + event.text }
    else result.push(event)
  }
  return result
}

function decode({ stream }: Recording, body: Uint8Array, size: number): Event[] {
  const decoder = anthropicMessages.replyDecoder({ streamed: stream, target: targetOf() })
  const events: Event[] = []
  for (let start = 0; start < body.length; start += size) events.push(...decoder.push(body.subarray(start, start + size)))
  return merged([...events, ...decoder.end()])
}

test('every recorded answer decodes to the same events however it is cut, and ends once', { skip }, () => {
  assert.ok(all.length > 100)
  for (const recording of all) {
    if (recording.response.status >= 400 || recording.response.encoding === 'base64' || recording.request?.method === 'GET') continue
    const body = new TextEncoder().encode(recording.response.body ?? '')
    const whole = decode(recording, body, Math.max(1, body.length))
    assert.equal(whole.filter(({ type }) => type === 'reply-end' || type === 'error').length, 1, recording.id)
    assert.deepEqual(decode(recording, body, 61), whole, recording.id)
    const open = new Set<number>()
    for (const event of whole) {
      if (event.type === 'part-start') open.add(event.index)
      if (event.type === 'part-end') open.delete(event.index)
      if (event.type === 'reply-end') assert.equal(open.size, 0, recording.id)
    }
  }
})

test('every recorded error has words', { skip }, () => {
  for (const { id, response } of all)
    if (response.status >= 400) assert.ok(anthropicMessages.decodeError(response.status, response.body ?? '').message, id)
})

test('every recorded request comes back as it was', { skip }, () => {
  for (const { id, request, response } of all) {
    const body = request?.body
    if (!isObject(body) || !Array.isArray(body['messages']) || typeof body['model'] !== 'string' || response.status === 400) continue
    const call = anthropicMessages.decodeCall(body, {})
    const back = anthropicMessages.encodeCall(call, targetOf(), new Notes()).body
    assert.deepEqual(plain({ ...(back as JsonObject), model: body['model'] }), plain(body), id)
  }
})

/** Without what says no more than silence: nulls, empty lists, a plain call. */
function plain(body: JsonObject): Json {
  const { anthropic_version: _version, stream, ...rest } = body
  return JSON.parse(
    JSON.stringify({ ...rest, ...(stream === true && { stream }) }, (name, value: Json) =>
      value === null || (Array.isArray(value) && value.length === 0 && name !== 'content') || (name === 'system' && value === '')
        ? undefined
        : value,
    ),
  ) as Json
}
