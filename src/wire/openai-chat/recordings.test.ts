/** What providers and clients of this wire really sent: recorded exchanges, read where they lie and never copied. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { GatewayError } from '../../core/error.ts'
import { type FoldedReply, fold } from '../../core/fold.ts'
import { arrayOf, isObject, isString, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { context, decodedCall, decodedReply, merged, sse, targetWith } from './fixtures.ts'
import { openaiChat } from './wire.ts'

const root = new URL('../../../../shared/recordings/', import.meta.url)

interface Recording {
  readonly id: string
  readonly stream: boolean
  readonly request?: { readonly body?: Json }
  readonly response: { readonly status: number; readonly body?: string }
}

function load(): Recording[] {
  return readdirSync(root).flatMap((provider) => {
    const folder = new URL(`${provider}/chat.completions/`, root)
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Recording)
  })
}

const absent = !existsSync(root)
const recordings = absent ? [] : load()
const answers = recordings.filter(({ response }) => response.status < 400 && response.body)

const words = ({ parts }: FoldedReply): unknown[] =>
  ['reasoning', 'text', 'refusal', 'tool-call'].map((kind) =>
    parts.flatMap((part) => (part.kind === kind && 'text' in part ? [part.text || (kind === 'tool-call' ? '{}' : '')] : [])).join('|'),
  )

describe('recorded exchanges', { skip: absent && 'the shared recordings are not here' }, () => {
  test('every answer is read to an ending, and any splitting gives the same events', () => {
    for (const { id, stream, response } of answers) {
      const body = response.body ?? ''
      const events = merged(decodedReply(body, stream))
      assert.ok(['reply-end', 'error'].includes(events.at(-1)?.type ?? ''), id)
      assert.deepEqual(merged(decodedReply(body, stream, { size: 61 })), events, id)
      const open = new Set<number>()
      for (const event of events) {
        if (event.type === 'part-start') open.add(event.index)
        else if (event.type === 'part-end') assert.ok(open.delete(event.index), id)
        else if (event.type === 'reply-end') assert.equal(open.size, 0, id)
        else if (event.type === 'text-delta') assert.ok(open.has(event.index), id)
      }
    }
  })

  test('a plain answer, framed as a stream, says the same', () => {
    for (const { id, stream, response } of answers) {
      const body = stream ? undefined : parseJson((response.body ?? '').trim())
      if (!isObject(body) || !isObject(arrayOf(body['choices'])[0])) continue
      const plain = fold(decodedReply(response.body ?? '', false))
      if (plain.error || /<think/.test(response.body ?? '')) continue
      const pieces = arrayOf(body['choices']).map((choice) =>
        isObject(choice) ? { ...choice, delta: choice['message'], message: undefined } : choice,
      )
      const streamed = fold(decodedReply(sse({ ...body, choices: pieces }, '[DONE]'), true))
      assert.deepEqual({ ...streamed, parts: words(streamed) }, { ...plain, parts: words(plain) }, id)
    }
  })

  test('every answer, encoded for a client of this wire and read again, says the same', () => {
    for (const { id, stream, response } of answers) {
      const events = decodedReply(response.body ?? '', stream)
      const reply = fold(events)
      if (reply.error) continue
      const call = decodedCall({ messages: [{ role: 'user', content: 'Hi' }], stream, stream_options: { include_usage: true } })
      const text = stream
        ? openaiChat.streamEncoder(call, context).push(events)
        : JSON.stringify(openaiChat.encodeReply(reply, call, context))
      const again = fold(decodedReply(text, stream))
      assert.deepEqual(words(again), words(reply), id)
      assert.equal(again.usage?.input, reply.usage?.input, id)
      assert.equal(again.usage?.output, reply.usage?.output, id)
    }
  })

  test("every provider's error keeps words", () => {
    for (const { id, response } of recordings)
      if (response.status >= 400) assert.ok(openaiChat.decodeError(response.status, response.body ?? '').message.length > 3, id)
  })

  test('a call decoded and encoded for the same wire loses nothing', () => {
    for (const { id, request, response } of recordings) {
      const body = request?.body
      if (!isObject(body) || !Array.isArray(body['messages']) || response.status === 400 || response.status === 422) continue
      const notes = new Notes()
      const encoded = openaiChat.encodeCall(decodedCall({ ...body, model: 'm' }), targetWith(), notes)
      assert.deepEqual(notes.drops, [], id)
      // A result that did not say which call it answers is told it.
      const added = arrayOf(body['messages']).some(
        (message) => isObject(message) && message['role'] === 'tool' && message['tool_call_id'] === undefined,
      )
      if (!added) assert.deepEqual(essence(encoded.body), essence({ ...body, model: 'm' }), id)
    }
  })

  test('whatever is wrong with a body is told as the fault of the caller', () => {
    for (const { id, request } of recordings) {
      const body = request?.body
      if (!isObject(body)) continue
      for (const key of Object.keys(body))
        for (const wrong of [5, 'x', [], {}, [[]], true])
          try {
            openaiChat.encodeCall(decodedCall({ ...body, [key]: wrong }), targetWith(), new Notes())
          } catch (error) {
            assert.ok(error instanceof GatewayError && error.status === 400, `${id} ${key}: ${error}`)
          }
    }
  })
})

/** A body without what says nothing: empty members, defaults, bookkeeping, other spellings of one thing. */
function essence(value: JsonObject): Json {
  const { stream, stream_options, tool_choice, ...rest } = value
  return tidy({
    ...rest,
    ...(stream === true && { stream, stream_options: { ...(isObject(stream_options) && stream_options), include_usage: true } }),
    tool_choice:
      tool_choice === 'any'
        ? 'required'
        : isObject(tool_choice) && !tool_choice['function'] && isString(tool_choice['name'])
          ? { type: 'function', function: { name: tool_choice['name'] } }
          : tool_choice,
  }) as Json
}

const BOOKKEEPING = new Set(['index', 'parsed_arguments', 'closed'])

function tidy(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) {
    const list = value.map((one) => tidy(one)).filter((one) => one !== undefined)
    return list.length > 0 ? list : undefined
  }
  if (!isObject(value)) return value === null || value === '' ? undefined : value
  const entries = Object.entries(value).flatMap(([name, member]) => {
    if (BOOKKEEPING.has(name) || member === 'function') return []
    if (name === 'name' && (isObject(value['function']) || member === 'answer')) return []
    if (name === 'thinking' && Array.isArray(member))
      return [[name, member.map((piece) => (isObject(piece) ? piece['text'] : piece)).join('')]]
    const kept = name === 'parameters' || name === 'schema' ? member : tidy(member)
    return kept === undefined ? [] : [[name, kept]]
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}
