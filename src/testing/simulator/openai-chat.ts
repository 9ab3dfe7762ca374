/** OpenAI Chat Completions as a provider speaks it. */
import { at, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { steps } from './answer.ts'
import { openaiError } from './openai-error.ts'
import {
  base64Size,
  copiesOf,
  describeUrl,
  objectsIn,
  optionalBetween,
  optionalCount,
  optionalFlag,
  optionalList,
  requireList,
  requireObject,
  requireString,
} from './reading.ts'
import {
  type Answer,
  type Ask,
  type Frame,
  type Piece,
  SimulatedRejection,
  type SimulatedResult,
  type SimulatedTool,
  type SimulatedWire,
} from './types.ts'

const roles = ['developer', 'system', 'user', 'assistant', 'tool', 'function']
const finishReasons: Readonly<Record<Answer['finish'], string>> = {
  stop: 'stop',
  'stop-sequence': 'stop',
  length: 'length',
  calls: 'tool_calls',
  filter: 'content_filter',
  refusal: 'stop',
  pause: 'stop',
}

export const simulatedOpenaiChat: SimulatedWire = {
  id: 'openai-chat',
  read,
  streamType: () => 'text/event-stream; charset=utf-8',
  count: (tokens) => ({ total_tokens: tokens }),
  error: openaiError,
  errorFrame: (details) => `data: ${JSON.stringify(openaiError(details))}\n\n`,
  plain: (answer, ask, body) => ({
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion',
    created: answer.created,
    model: ask.model,
    choices: Array.from({ length: ask.copies }, (_, index) => ({
      index,
      message: messageOf(answer.pieces),
      logprobs: body['logprobs'] === true ? { content: logprobsOf(textOf(answer.pieces)), refusal: null } : null,
      finish_reason: finishReasons[answer.finish],
    })),
    usage: usageOf(answer),
    system_fingerprint: 'fp_simulator',
  }),
  stream,
}

function read(body: JsonObject): Ask {
  const model = requireString(body['model'], 'model')
  const messages = requireList(body['messages'], 'messages')
  if (messages.length === 0) throw new SimulatedRejection('Invalid messages: too short. Expected at least 1 message.', 'messages')
  const stream = optionalFlag(body['stream'], 'stream')
  if (isObject(body['stream_options']) && !stream) {
    throw new SimulatedRejection("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
  }
  optionalBetween(body['temperature'], 'temperature', 0, 2)
  optionalBetween(body['top_p'], 'top_p', 0, 1)
  const conversation = readMessages(messages)
  const tools = objectsIn(body['tools'], 'tools').map(([tool, path]) => toolOf(tool, path))
  const effort = body['reasoning_effort']
  return {
    model,
    stream,
    ...conversation,
    tools,
    choice: choiceOf(body['tool_choice'], tools),
    parallel: body['parallel_tool_calls'] !== false,
    schema: schemaOf(body['response_format']),
    reasoning: isString(effort) && effort !== 'none' ? { shown: true, sealed: false } : undefined,
    maxTokens: optionalCount(body['max_completion_tokens'], 'max_completion_tokens') ?? optionalCount(body['max_tokens'], 'max_tokens'),
    stop: isString(body['stop']) ? [body['stop']] : optionalList(body['stop'], 'stop').filter(isString),
    prompt: [...conversation.prompt, ...tools.map((tool) => JSON.stringify(tool))],
    seals: 0,
    cacheMarks: undefined,
    continues: false,
    copies: copiesOf(body['n'], 'n', 128),
  }
}

function readMessages(messages: readonly Json[]) {
  const prompt: string[] = []
  const instructions: string[] = []
  let lastText = ''
  let attachments: string[] = []
  let results: SimulatedResult[] = []
  /** Calls of the last assistant turn that wait for their result: id to name. */
  let open = new Map<string, string>()
  for (const [index, entry] of messages.entries()) {
    const path = at('messages', index)
    const message = requireObject(entry, path)
    const role = requireString(message['role'], at(path, 'role'))
    if (!roles.includes(role))
      throw new SimulatedRejection(`Invalid value: '${role}'. Supported values are: ${roles.join(', ')}.`, at(path, 'role'))
    const calls = optionalList(message['tool_calls'], at(path, 'tool_calls'))
    const { text, media } = contentOf(message['content'], at(path, 'content'), role === 'assistant' || role === 'function')
    prompt.push(`${role}: ${text}${media.join('')}${calls.length > 0 ? JSON.stringify(calls) : ''}`)
    if (role === 'tool') {
      const id = requireString(message['tool_call_id'], at(path, 'tool_call_id'))
      const name = open.get(id)
      if (name === undefined) {
        throw new SimulatedRejection(
          "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
          at(path, 'role'),
        )
      }
      results.push({ name, text, isError: false })
      open.delete(id)
      continue
    }
    if (open.size > 0) {
      const missing = [...open.keys()].join(', ')
      throw new SimulatedRejection(
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: ${missing}`,
        path,
      )
    }
    if (role === 'assistant') {
      open = new Map(calls.map((call, callIndex) => callOf(requireObject(call, path), at(at(path, 'tool_calls'), callIndex))))
      results = []
    } else if (role === 'user') {
      lastText = text
      attachments = media
    } else instructions.push(text)
  }
  if (open.size > 0) throw new SimulatedRejection(`No tool output found for tool calls ${[...open.keys()].join(', ')}.`, 'messages')
  return { instructions: instructions.join('\n'), lastText, attachments, results, prompt }
}

function callOf(call: JsonObject, path: string): readonly [string, string] {
  const inner =
    call['type'] === 'custom' ? requireObject(call['custom'], at(path, 'custom')) : requireObject(call['function'], at(path, 'function'))
  if (call['type'] !== 'custom') requireString(inner['arguments'], at(at(path, 'function'), 'arguments'))
  return [requireString(call['id'], at(path, 'id')), requireString(inner['name'], at(path, 'function.name'))]
}

function contentOf(content: Json | undefined, path: string, mayBeAbsent: boolean): { text: string; media: string[] } {
  if (isString(content)) return { text: content, media: [] }
  if ((content === null || content === undefined) && mayBeAbsent) return { text: '', media: [] }
  const texts: string[] = []
  const media: string[] = []
  for (const [index, entry] of requireList(content, path).entries()) {
    const here = at(path, index)
    const part = requireObject(entry, here)
    switch (part['type']) {
      case 'text':
        texts.push(requireString(part['text'], at(here, 'text')))
        break
      case 'refusal':
        texts.push(requireString(part['refusal'], at(here, 'refusal')))
        break
      case 'image_url': {
        const url = isString(part['image_url'])
          ? part['image_url']
          : requireString(requireObject(part['image_url'], at(here, 'image_url'))['url'], at(here, 'image_url.url'))
        media.push(describeUrl(url, 'image', at(here, 'image_url.url')))
        break
      }
      case 'input_audio': {
        const audio = requireObject(part['input_audio'], at(here, 'input_audio'))
        const data = requireString(audio['data'], at(here, 'input_audio.data'))
        media.push(`audio ${String(audio['format'])}, ${base64Size(data, at(here, 'input_audio.data'))} bytes`)
        break
      }
      case 'file': {
        const file = requireObject(part['file'], at(here, 'file'))
        media.push(
          isString(file['file_data'])
            ? describeUrl(file['file_data'], 'file', at(here, 'file.file_data'))
            : `file ${String(file['file_id'])}`,
        )
        break
      }
      default:
        throw new SimulatedRejection(`Invalid value: '${String(part['type'])}'.`, at(here, 'type'))
    }
  }
  return { text: texts.join('\n'), media }
}

function toolOf(tool: JsonObject, path: string): SimulatedTool {
  const type = requireString(tool['type'], at(path, 'type'))
  const inner = requireObject(tool[type], at(path, type))
  const name = requireString(inner['name'], at(at(path, type), 'name'))
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new SimulatedRejection(
      `Invalid '${path}.${type}.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.`,
      `${path}.${type}.name`,
    )
  }
  return type === 'custom' ? { name, schema: undefined, freeform: true } : { name, schema: inner['parameters'] }
}

function choiceOf(choice: Json | undefined, tools: readonly SimulatedTool[]): Ask['choice'] {
  if (choice === undefined || choice === null) return 'auto'
  if (tools.length === 0) throw new SimulatedRejection("'tool_choice' is only allowed when 'tools' are specified.", 'tool_choice')
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  const object = requireObject(choice, 'tool_choice')
  if (isObject(object['allowed_tools'])) return object['allowed_tools']['mode'] === 'required' ? 'required' : 'auto'
  const inner = requireObject(object['function'] ?? object['custom'], 'tool_choice.function')
  const name = requireString(inner['name'], 'tool_choice.function.name')
  if (!tools.some((tool) => tool.name === name)) throw new SimulatedRejection(`Tool choice '${name}' not found in 'tools'.`, 'tool_choice')
  return { name }
}

function schemaOf(format: Json | undefined): Json | undefined {
  if (!isObject(format) || format['type'] === 'text') return undefined
  if (format['type'] === 'json_object') return true
  const inner = requireObject(format['json_schema'], 'response_format.json_schema')
  requireString(inner['name'], 'response_format.json_schema.name')
  return requireObject(inner['schema'], 'response_format.json_schema.schema')
}

const textOf = (pieces: readonly Piece[]): string => pieces.map((piece) => (piece.type === 'text' ? piece.text : '')).join('')

function messageOf(pieces: readonly Piece[]): JsonObject {
  const calls = pieces.filter((piece) => piece.type === 'call')
  const thought = pieces.find((piece) => piece.type === 'reasoning')
  const refusal = pieces.find((piece) => piece.type === 'refusal')
  const text = textOf(pieces)
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal) ? null : text,
    refusal: refusal?.text ?? null,
    annotations: [],
    ...(thought ? { reasoning_content: thought.text } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map(toolCallOf) } : {}),
  }
}

const toolCallOf = (call: Extract<Piece, { type: 'call' }>): JsonObject =>
  call.freeform
    ? { id: `call_${call.id}`, type: 'custom', custom: { name: call.name, input: call.arguments } }
    : { id: `call_${call.id}`, type: 'function', function: { name: call.name, arguments: call.arguments } }

const logprobsOf = (text: string): Json =>
  steps(text).map((token) => ({ token, logprob: -0.25, bytes: [...new TextEncoder().encode(token)], top_logprobs: [] }))

const usageOf = ({ usage }: Answer): JsonObject => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
})

function* stream(answer: Answer, ask: Ask, body: JsonObject): Generator<Frame> {
  const wantsUsage = isObject(body['stream_options']) && body['stream_options']['include_usage'] === true
  const chunk = (kind: Frame['kind'], choices: readonly Json[], usage?: JsonObject): Frame => {
    const head = { id: `chatcmpl-${answer.id}`, object: 'chat.completion.chunk', created: answer.created, model: ask.model }
    const tail = wantsUsage ? { usage: usage ?? null } : {}
    return { kind, text: `data: ${JSON.stringify({ ...head, system_fingerprint: 'fp_simulator', choices, ...tail })}\n\n` }
  }
  for (let index = 0; index < ask.copies; index++) {
    const delta = (kind: Frame['kind'], value: JsonObject, finish: string | null = null, logprobs: Json = null): Frame =>
      chunk(kind, [{ index, delta: value, logprobs, finish_reason: finish }])
    yield delta('open', { role: 'assistant', content: '', refusal: null })
    let call = 0
    for (const piece of answer.pieces) {
      if (piece.type === 'reasoning') for (const text of steps(piece.text)) yield delta('output', { reasoning_content: text })
      if (piece.type === 'refusal') for (const text of steps(piece.text)) yield delta('output', { refusal: text })
      if (piece.type === 'text') {
        for (const text of steps(piece.text)) {
          yield delta('output', { content: text }, null, body['logprobs'] === true ? { content: logprobsOf(text), refusal: null } : null)
        }
      }
      if (piece.type === 'call') {
        const key = piece.freeform ? 'custom' : 'function'
        const member = piece.freeform ? 'input' : 'arguments'
        yield delta('output', {
          tool_calls: [{ index: call, id: `call_${piece.id}`, type: key, [key]: { name: piece.name, [member]: '' } }],
        })
        for (const text of steps(piece.arguments)) yield delta('output', { tool_calls: [{ index: call, [key]: { [member]: text } }] })
        call++
      }
    }
    yield delta('close', {}, finishReasons[answer.finish])
  }
  if (wantsUsage) yield chunk('close', [], usageOf(answer))
  yield { kind: 'close', text: 'data: [DONE]\n\n' }
}
