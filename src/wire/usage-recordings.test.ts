/** What recorded answers say of their use is the same however they are read: passed through or translated. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { WireId } from '../core/call.ts'
import { type Event, mergeUsage, type Usage } from '../core/event.ts'
import { isObject, type JsonObject, parseJson, stringOf } from '../core/json.ts'
import { wires } from './index.ts'
import { decode } from './wires.fixtures.ts'

const folder = fileURLToPath(new URL('../../../shared/recordings', import.meta.url))
const skip = existsSync(folder) ? false : 'the recordings are not beside the project'

/** How often each kind is used in the recordings at least. */
const EXPECTED: readonly (readonly [endpoint: string, wire: WireId, kinds: Partial<Record<keyof Usage, number>>])[] = [
  ['chat.completions', 'openai-chat', { webSearches: 5 }],
  ['responses', 'openai-responses', { webSearches: 20, fileSearches: 8, codeRuns: 10, toolImages: 8, socialSearches: 2 }],
  ['messages', 'anthropic-messages', { webSearches: 6 }],
  ['generateContent', 'gemini', { webSearches: 9, searchPrompts: 8, mapPrompts: 2 }],
]

function said(events: readonly Event[]): Usage | undefined {
  let usage: Usage | undefined
  for (const event of events) if (event.type === 'usage' || event.type === 'reply-start') usage = mergeUsage(usage, event.usage)
  return usage
}

/** Without what is not known. */
const known = (usage: Usage | undefined): object =>
  Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => value !== undefined))

/** Some recordings hold the streams of several answers. */
const isOne = (body: string): boolean => body.split(/"type":\s*"(?:message_start|response\.created)"/).length <= 2

for (const [endpoint, id, kinds] of EXPECTED)
  test(`${id}: the use that an answer tells is the same passed through and translated`, { skip }, () => {
    const wire = wires.get(id)
    assert.ok(wire)
    const target = { provider: 'p', model: 'm', wire: id, capabilities: {}, quirks: {} }
    const seen: Partial<Record<keyof Usage, number>> = {}
    let compared = 0
    for (const provider of readdirSync(folder, { withFileTypes: true })) {
      const place = `${folder}/${provider.name}/${endpoint}`
      if (!provider.isDirectory() || !existsSync(place)) continue
      for (const file of readdirSync(place)) {
        const { response, stream }: JsonObject = JSON.parse(readFileSync(`${place}/${file}`, 'utf8'))
        if (!isObject(response) || response['encoding'] === 'base64' || Number(response['status']) >= 400) continue
        const body = stringOf(response['body']) ?? ''
        const events = decode(wire, body, stream === true)
        if (events.at(-1)?.type !== 'reply-end' || !isOne(body)) continue
        const translated = known(said(events))
        for (const kind of Object.keys(kinds) as (keyof Usage)[]) if ((translated as Usage)[kind]) seen[kind] = (seen[kind] ?? 0) + 1
        compared++
        const what = `${provider.name}/${endpoint}/${file}`
        if (stream !== true) {
          assert.deepEqual(known(wire.summarize(parseJson(body) ?? null, target).usage), translated, what)
          continue
        }
        const tap = wire.streamTap(target, {})
        tap.push(Buffer.from(body))
        tap.end()
        assert.deepEqual(known(tap.summary.usage), translated, what)
      }
    }
    assert.ok(compared > 100, `${compared}`)
    for (const [kind, least] of Object.entries(kinds))
      assert.ok((seen[kind as keyof Usage] ?? 0) >= least, `${kind}: ${JSON.stringify(seen)}`)
  })
