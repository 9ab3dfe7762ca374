/** Recorded requests on their own wire: nothing is lost on the way through the call. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { openaiResponses } from './wire.ts'

const folder = fileURLToPath(new URL('../../../../shared/recordings', import.meta.url))
const skip = existsSync(folder) ? false : 'the recordings are not beside the project'

function* requests(): Generator<readonly [id: string, body: JsonObject]> {
  for (const provider of readdirSync(folder)) {
    const place = `${folder}/${provider}/responses`
    if (!existsSync(place)) continue
    for (const file of readdirSync(place)) {
      const { request, response }: JsonObject = JSON.parse(readFileSync(`${place}/${file}`, 'utf8'))
      const body = isObject(request) ? request['body'] : undefined
      const accepted = isObject(response) && response['status'] === 200
      if (accepted && isObject(body) && typeof body['model'] === 'string') yield [`${provider}/${file}`, body]
    }
  }
}

/** What says no more than silence does: nulls, empty lists, defaults; and the older or nested spellings of some clients. */
function plain(value: Json | undefined, key = ''): Json | undefined {
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return undefined
  if (Array.isArray(value)) return value.map((member) => plain(member) ?? null)
  if (!isObject(value)) return value
  const { function: nested, ...flat } =
    isObject(value['function']) && value['type'] === 'function' ? value : { ...value, function: undefined }
  const { generate_summary: summary, ...members } = isObject(nested) ? { ...flat, ...nested } : flat
  const all = { ...members, ...(summary !== undefined && { summary }) }
  const usual: readonly (readonly [string, Json])[] = [
    ['stream', false],
    ['background', false],
    ['truncation', 'disabled'],
  ]
  const kept = Object.entries(all)
    .filter(([name, member]) => !usual.some(([one, silent]) => one === name && silent === member))
    .map(([name, member]) => [name, plain(member, name)] as const)
    .filter(([, member]) => member !== undefined)
  return kept.length === 0 && key !== 'properties' ? undefined : Object.fromEntries(kept)
}

test('every recorded request comes out as it went in', { skip }, () => {
  let read = 0
  for (const [id, body] of requests()) {
    const model = String(body['model'])
    const call = openaiResponses.decodeCall(body, {})
    const notes = new Notes()
    const { body: sent } = openaiResponses.encodeCall(
      call,
      { provider: 'p', model, wire: 'openai-responses', capabilities: {}, quirks: {} },
      notes,
    )
    assert.deepEqual(plain(sent), plain(body), id)
    assert.deepEqual(notes.drops, [], id)
    read++
  }
  assert.ok(read > 300)
})
