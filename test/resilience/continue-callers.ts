/** Callers of four dialects with their vendors' own SDKs, which parse strictly what they are told. */
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import type { Gateway } from '../../src/index.ts'
import type { SimulatedWireId } from '../../src/testing/index.ts'

export interface Heard {
  readonly text: string
  readonly finish: string | undefined
  readonly input: number | undefined
  readonly output: number | undefined
}

type Caller = (gateway: Gateway, members?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>) => Promise<Heard>

const QUESTION = 'Tell me a story.'

const openai = ({ fetch }: Gateway, headers: Readonly<Record<string, string>>) =>
  new OpenAI({ apiKey: 'k', baseURL: 'http://gateway.test/v1', fetch, maxRetries: 0, defaultHeaders: headers })

/** Each throws what the SDK throws, and when the SDK's own sum of the events is not what the events said. */
export const callers: Readonly<Record<SimulatedWireId, Caller>> = {
  async 'openai-chat'(gateway, members = {}, headers = {}) {
    const stream = openai(gateway, headers).chat.completions.stream({
      model: 'story',
      messages: [{ role: 'user', content: QUESTION }],
      stream_options: { include_usage: true },
      ...members,
    })
    let text = ''
    const ids = new Set<string>()
    for await (const chunk of stream) {
      ids.add(chunk.id)
      text += chunk.choices[0]?.delta.content ?? ''
    }
    const { choices, usage } = await stream.finalChatCompletion()
    if (choices[0]?.message.content !== text && text !== '') throw new Error(`the sum differs: ${choices[0]?.message.content}`)
    if (ids.size !== 1) throw new Error(`more than one id: ${[...ids].join(' ')}`)
    return { text, finish: choices[0]?.finish_reason, input: usage?.prompt_tokens, output: usage?.completion_tokens }
  },

  async 'openai-responses'(gateway, members = {}, headers = {}) {
    const stream = openai(gateway, headers).responses.stream({ model: 'story', input: QUESTION, ...members })
    let text = ''
    let number = -1
    for await (const event of stream) {
      if (event.sequence_number !== number + 1) throw new Error(`event ${event.type} has number ${event.sequence_number} after ${number}`)
      number = event.sequence_number
      if (event.type === 'error') throw new Error(event.message)
      if (event.type === 'response.failed') throw new Error(event.response.error?.message)
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    const { output_text, status, usage } = await stream.finalResponse()
    if (output_text !== text) throw new Error(`the sum differs: ${output_text}`)
    return { text, finish: status, input: usage?.input_tokens, output: usage?.output_tokens }
  },

  async 'anthropic-messages'({ fetch }, members = {}, headers = {}) {
    const client = new Anthropic({ apiKey: 'k', baseURL: 'http://gateway.test', fetch, maxRetries: 0, defaultHeaders: headers })
    const stream = client.messages.stream({
      model: 'story',
      max_tokens: 2000,
      messages: [{ role: 'user', content: QUESTION }],
      ...members,
    })
    let text = ''
    const open = new Set<number>()
    for await (const event of stream) {
      if (event.type === 'content_block_start') open.add(event.index)
      if (event.type === 'content_block_stop' && !open.delete(event.index)) throw new Error(`block ${event.index} was not open`)
      if (event.type !== 'content_block_delta') continue
      if (!open.has(event.index)) throw new Error(`block ${event.index} is not open`)
      if (event.delta.type === 'text_delta') text += event.delta.text
    }
    if (open.size > 0) throw new Error('a block was left open')
    const { content, stop_reason, usage } = await stream.finalMessage()
    const sum = content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    if (sum !== text) throw new Error(`the sum differs: ${sum}`)
    return { text, finish: stop_reason ?? undefined, input: usage.input_tokens, output: usage.output_tokens }
  },

  async gemini({ fetch }, members = {}, headers = {}) {
    // This SDK takes no `fetch` of one's own.
    const real = globalThis.fetch
    globalThis.fetch = fetch as typeof globalThis.fetch
    try {
      const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: 'http://gateway.test', headers: { ...headers } } })
      const stream = await client.models.generateContentStream({ model: 'story', contents: QUESTION, config: { ...members } })
      let text = ''
      let finish: string | undefined
      let usage: { promptTokenCount?: number; candidatesTokenCount?: number; thoughtsTokenCount?: number } | undefined
      for await (const chunk of stream) {
        for (const part of chunk.candidates?.[0]?.content?.parts ?? []) if (!part.thought) text += part.text ?? ''
        finish = chunk.candidates?.[0]?.finishReason ?? finish
        usage = chunk.usageMetadata ?? usage
      }
      if (finish === undefined) throw new Error('the stream has no ending')
      const output = usage && (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0)
      return { text, finish, input: usage?.promptTokenCount, output }
    } finally {
      globalThis.fetch = real
    }
  },
}

export const ENDINGS: Readonly<Record<SimulatedWireId, string>> = {
  'openai-chat': 'stop',
  'openai-responses': 'completed',
  'anthropic-messages': 'end_turn',
  gemini: 'STOP',
}
