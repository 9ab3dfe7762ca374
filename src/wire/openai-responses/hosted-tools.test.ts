import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../../core/fold.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { openaiResponses } from './wire.ts'

const target = { provider: 'o', model: 'm', wire: 'openai-responses', capabilities: {}, quirks: {} } as const
const usage = { input_tokens: 10, output_tokens: 5 }
const message = { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }
const code = (container_id?: string, status = 'completed') => ({ type: 'code_interpreter_call', id: 'ci', status, code: '1', container_id })

/** What was used, the same however the answer comes: plain or streamed, passed through or translated. */
function used(output: readonly Json[], about: JsonObject = {}): JsonObject {
  const response: JsonObject = {
    id: 'r',
    object: 'response',
    status: 'completed',
    model: 'm',
    output: [...output, message],
    usage,
    ...about,
  }
  const stream = `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response })}\n\n`
  const tap = openaiResponses.streamTap(target, {})
  tap.push(Buffer.from(stream))
  tap.end()
  const [translated, streamed] = [JSON.stringify(response), stream].map((sent, index) => {
    const decoder = openaiResponses.replyDecoder({ streamed: index === 1, target })
    return fold([...decoder.push(Buffer.from(sent)), ...decoder.end()]).usage
  })
  const said = openaiResponses.summarize(response, target).usage
  for (const other of [tap.summary.usage, translated, streamed]) assert.deepEqual(other, said)
  const { input: _input, output: _output, ...tools } = { ...said }
  return tools as JsonObject
}

test('an answer without tools of the provider’s says nothing of them', () => {
  assert.deepEqual(used([]), {})
  assert.deepEqual(used([{ type: 'function_call', id: 'f', call_id: 'c', name: 'f', arguments: '{}', status: 'completed' }]), {})
  assert.deepEqual(used([], { tool_usage: { image_gen: { total_tokens: 0 }, web_search: { num_requests: 0 } } }), {})
})

test('searches of files are counted, but for those that failed', () => {
  const search = (status: string) => ({ type: 'file_search_call', id: 'fs', status, queries: ['a', 'b', 'c'], results: null })
  assert.deepEqual(used([search('completed'), search('failed'), search('completed')]), { fileSearches: 2 })
})

test('a container is counted once, however often code runs in it and whatever comes of it', () => {
  assert.deepEqual(used([code('cntr_1'), code('cntr_1'), code('cntr_2', 'failed')]), { codeRuns: 2 })
  const shell = (environment: JsonObject | null) => ({
    type: 'shell_call',
    id: 'sh',
    call_id: 'c',
    status: 'completed',
    action: {},
    environment,
  })
  assert.deepEqual(used([code('cntr_1'), shell({ type: 'container_reference', container_id: 'cntr_1' })]), { codeRuns: 1 })
  assert.deepEqual(used([shell({ type: 'container_reference', container_id: 'cntr_3' })]), { codeRuns: 1 })
  // The caller's own shell.
  assert.deepEqual(
    used([shell({ type: 'local' }), shell(null), { type: 'local_shell_call', id: 'l', call_id: 'c', status: 'completed' }]),
    {},
  )
  // Runs, where no container is named.
  assert.deepEqual(used([code(), code(), code(undefined, 'failed')]), { codeRuns: 2 })
})

test('pictures that a tool made are counted', () => {
  const picture = (status: string) => ({ type: 'image_generation_call', id: 'ig', status, result: 'aGk=' })
  assert.deepEqual(used([picture('completed'), picture('generating'), picture('failed')]), { toolImages: 2 })
})

test('xAI counts all of its tools, nought included', () => {
  const told = { web_search_calls: 2, x_search_calls: 1, code_interpreter_calls: 0, file_search_calls: 3, image_generation_calls: 4 }
  const items = [{ type: 'x_search_call', id: 'x', call_id: '', name: 'x', arguments: '{}', status: 'completed' }]
  assert.deepEqual(used([...items, code()], { usage: { ...usage, server_side_tool_usage_details: told } }), {
    webSearches: 2,
    socialSearches: 1,
    fileSearches: 3,
    toolImages: 4,
  })
  assert.deepEqual(used([...items, code()]), { socialSearches: 1, codeRuns: 1 })
})

test('kinds add up side by side', () => {
  const search = { type: 'web_search_call', id: 'ws', status: 'completed', action: { type: 'search', query: 'q' } }
  assert.deepEqual(used([search, code('cntr_1'), { type: 'file_search_call', id: 'fs', status: 'completed', queries: [] }]), {
    webSearches: 1,
    codeRuns: 1,
    fileSearches: 1,
  })
})
