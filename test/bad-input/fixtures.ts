/** One rich request per dialect, written for these tests: every kind of thing that a body may hold, once. */
import { sealOf } from '../../src/testing/simulator/seals.ts'
import type { DialectId } from './rig.ts'

const weather = {
  type: 'object',
  properties: {
    city: { type: 'string', description: 'Where' },
    days: { type: 'integer', minimum: 1, maximum: 10 },
    unit: { type: 'string', enum: ['C', 'F'] },
  },
  required: ['city'],
  additionalProperties: false,
}
const answer = {
  type: 'object',
  properties: { summary: { type: 'string' }, mood: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
  required: ['summary', 'mood'],
  additionalProperties: false,
}
const thought = 'A look is needed.'

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const chat = {
  model: '',
  messages: [
    { role: 'system', content: 'Be short.' },
    {
      role: 'user',
      name: 'ada',
      content: [
        { type: 'text', text: 'What is in this picture, and how is the weather?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}`, detail: 'low' } },
      ],
    },
    {
      role: 'assistant',
      content: 'Let me look.',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Riga","days":2}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: '{"sky":"grey"}' },
    { role: 'user', content: 'And tomorrow?' },
  ],
  tools: [
    { type: 'function', function: { name: 'weather', description: 'The weather', parameters: weather, strict: false } },
    { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  temperature: 0.5,
  top_p: 0.9,
  max_completion_tokens: 200,
  stop: ['END'],
  seed: 7,
  presence_penalty: 0.1,
  frequency_penalty: 0.2,
  logit_bias: { '50256': -100 },
  reasoning_effort: 'low',
  response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: answer, strict: true } },
  metadata: { team: 'blue' },
  user: 'u-1',
  stream: false,
  n: 1,
  logprobs: false,
  verbosity: 'low',
  service_tier: 'auto',
}

const responses = {
  model: '',
  instructions: 'Be short.',
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Answer in French.' }] },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'What is in this picture?' },
        { type: 'input_image', image_url: `data:image/png;base64,${pixel}`, detail: 'low' },
      ],
    },
    {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: thought }],
      encrypted_content: sealOf('openai-responses', thought),
    },
    { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{"city":"Riga"}', status: 'completed' },
    { type: 'function_call_output', call_id: 'call_1', output: '{"sky":"grey"}' },
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Grey.', annotations: [] }],
    },
    { role: 'user', content: 'And tomorrow?' },
  ],
  tools: [
    { type: 'function', name: 'weather', description: 'The weather', parameters: weather, strict: false },
    { type: 'custom', name: 'note', description: 'Free text', format: { type: 'text' } },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  temperature: 0.5,
  top_p: 0.9,
  max_output_tokens: 200,
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'json_schema', name: 'answer', schema: answer, strict: true }, verbosity: 'low' },
  include: ['reasoning.encrypted_content'],
  metadata: { team: 'blue' },
  store: false,
  stream: false,
  truncation: 'disabled',
  prompt_cache_key: 'k',
  safety_identifier: 'u-1',
  service_tier: 'auto',
}

const messages = {
  model: '',
  max_tokens: 2_000,
  system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is in this picture?' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
        {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'A note.' },
          title: 'note',
          citations: { enabled: false },
        },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: thought, signature: sealOf('anthropic-messages', thought) },
        { type: 'text', text: 'Let me look.' },
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Riga', days: 2 } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'grey' }], is_error: false },
        { type: 'text', text: 'And tomorrow?' },
      ],
    },
  ],
  tools: [{ name: 'weather', description: 'The weather', input_schema: weather, cache_control: { type: 'ephemeral', ttl: '5m' } }],
  tool_choice: { type: 'auto', disable_parallel_tool_use: false },
  thinking: { type: 'enabled', budget_tokens: 1_024 },
  stop_sequences: ['END'],
  metadata: { user_id: 'u-1' },
  service_tier: 'auto',
  stream: false,
}

const gemini = {
  systemInstruction: { parts: [{ text: 'Be short.' }] },
  contents: [
    { role: 'user', parts: [{ text: 'What is in this picture?' }, { inlineData: { mimeType: 'image/png', data: pixel } }] },
    {
      role: 'model',
      parts: [
        { text: thought, thought: true },
        { functionCall: { id: 'f1', name: 'weather', args: { city: 'Riga', days: 2 } }, thoughtSignature: sealOf('gemini', thought) },
      ],
    },
    { role: 'user', parts: [{ functionResponse: { id: 'f1', name: 'weather', response: { sky: 'grey' } } }, { text: 'And tomorrow?' }] },
  ],
  tools: [
    {
      functionDeclarations: [
        { name: 'weather', description: 'The weather', parametersJsonSchema: weather },
        { name: 'look', parameters: { type: 'OBJECT', properties: { at: { type: 'STRING', nullable: true } } } },
      ],
    },
  ],
  toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
  generationConfig: {
    temperature: 0.5,
    topP: 0.9,
    topK: 40,
    maxOutputTokens: 200,
    stopSequences: ['END'],
    seed: 7,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    candidateCount: 1,
    responseMimeType: 'application/json',
    responseJsonSchema: answer,
    thinkingConfig: { thinkingBudget: 1_024, includeThoughts: true },
  },
  safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
  labels: { team: 'blue' },
}

const bodies: Readonly<Record<DialectId, Readonly<Record<string, unknown>>>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
}

/** A fresh copy, asking for this model where the dialect has it in the body. */
export function richBody(dialect: DialectId, model: string): Record<string, unknown> {
  const body = structuredClone(bodies[dialect]) as Record<string, unknown>
  if (dialect !== 'gemini') body['model'] = model
  return body
}

/** The least that a dialect takes, with this prompt. */
export function plainBody(dialect: DialectId, model: string, prompt: string): Record<string, unknown> {
  switch (dialect) {
    case 'openai-chat':
      return { model, messages: [{ role: 'user', content: prompt }] }
    case 'openai-responses':
      return { model, input: prompt }
    case 'anthropic-messages':
      return { model, max_tokens: 100, messages: [{ role: 'user', content: prompt }] }
    default:
      return { contents: [{ role: 'user', parts: [{ text: prompt }] }] }
  }
}
