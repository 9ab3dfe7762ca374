/** Anthropic Messages as a provider speaks it, versions 2023-06-01 and 2026-10-21. */
import type { HttpRequest } from '../../core/http.ts'
import { at, isNumber, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { steps } from './answer.ts'
import {
  base64Size,
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
import { sealHolds } from './seals.ts'
import {
  type Answer,
  type Ask,
  type ErrorDetails,
  type Frame,
  type Piece,
  SimulatedRejection,
  type SimulatedResult,
  type SimulatedTool,
  type SimulatedWire,
} from './types.ts'

/** Clients that hear this code send their conversation whole from then on. */
const noThreads = 'thread_unsupported_request'
const versions = ['2023-06-01', '2026-10-21']
const stopReasons: Readonly<Record<Answer['finish'], string>> = {
  stop: 'end_turn',
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
}
const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

export const simulatedAnthropicMessages: SimulatedWire = {
  id: 'anthropic-messages',
  read,
  streamType: () => 'text/event-stream; charset=utf-8',
  count: (tokens) => ({ input_tokens: tokens }),
  error,
  errorFrame: (details) => eventOf('error', error(details)),
  plain: (answer, ask) => ({
    ...head(answer, ask),
    content: answer.pieces.map(blockOf),
    stop_reason: stopReasons[answer.finish],
    stop_sequence: answer.stopSequence ?? null,
    stop_details: stopDetails(answer),
    usage: usageOf(answer),
  }),
  stream,
}

function error({ status, message, path, code }: ErrorDetails): JsonObject {
  const type = errorTypes[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
  const words = path === undefined || message.startsWith(path) ? message : `${path}: ${message}`
  const details = code === undefined ? {} : { details: { error_code: code, ...(code === noThreads ? { unsupported: ['thread'] } : {}) } }
  return { type: 'error', error: { type, message: words, ...details }, request_id: 'req_simulator' }
}

function read(body: JsonObject, request: HttpRequest): Ask {
  const version = request.headers['anthropic-version']
  if (version === undefined) throw new SimulatedRejection('anthropic-version: header is required')
  if (!versions.includes(version)) throw new SimulatedRejection(`anthropic-version: "${version}" is not a valid version`)
  const model = requireString(body['model'], 'model')
  if (isObject(body['thread'])) {
    throw new SimulatedRejection('The simulator keeps no conversations.', 'thread', { code: noThreads })
  }
  const maxTokens = optionalCount(body['max_tokens'], 'max_tokens')
  const counting = request.path.endsWith('/count_tokens')
  if (maxTokens === undefined && !counting) throw new SimulatedRejection('max_tokens: Field required', 'max_tokens')
  for (const name of ['temperature', 'top_p', 'top_k']) {
    if (version === '2026-10-21' && body[name] !== undefined) throw new SimulatedRejection(`${name}: Extra inputs are not permitted`, name)
  }
  optionalBetween(body['temperature'], 'temperature', 0, 1)
  const messages = requireList(body['messages'], 'messages')
  if (messages.length === 0) throw new SimulatedRejection('messages: at least one message is required', 'messages')
  const conversation = readMessages(messages)
  const system = systemOf(body['system'])
  const tools = objectsIn(body['tools'], 'tools').flatMap(([tool, path]) => toolOf(tool, path))
  const thinking = thinkingOf(body['thinking'], maxTokens)
  const choice = choiceOf(body['tool_choice'], tools)
  if (thinking?.budgeted && choice !== 'auto' && choice !== 'none') {
    throw new SimulatedRejection('Thinking may not be enabled when tool_choice forces tool use.', 'tool_choice')
  }
  const marks = JSON.stringify(body).split('"cache_control":{').length - 1
  if (marks > 4) throw new SimulatedRejection(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`)
  const output = isObject(body['output_config']) ? body['output_config'] : {}
  return {
    model,
    stream: optionalFlag(body['stream'], 'stream'),
    ...conversation,
    instructions: [system, conversation.instructions].join('\n').trim(),
    tools,
    choice,
    parallel: !(isObject(body['tool_choice']) && body['tool_choice']['disable_parallel_tool_use'] === true),
    schema: schemaOf(output['format'] ?? body['output_format']),
    reasoning: thinking && { shown: thinking.shown, sealed: true },
    maxTokens,
    stop: optionalList(body['stop_sequences'], 'stop_sequences').filter(isString),
    prompt: [...(system === '' ? [] : [system]), ...conversation.prompt, ...tools.map((tool) => JSON.stringify(tool))],
    cacheMarks: marks,
    copies: 1,
  }
}

function systemOf(system: Json | undefined): string {
  if (system === undefined || system === null) return ''
  if (isString(system)) return system
  return objectsIn(requireList(system, 'system'), 'system')
    .map(([block, path]) => requireString(block['text'], at(path, 'text')))
    .join('\n')
}

function thinkingOf(thinking: Json | undefined, maxTokens: number | undefined) {
  if (!isObject(thinking) || thinking['type'] === 'disabled') return undefined
  const budget = thinking['budget_tokens']
  if (thinking['type'] === 'enabled') {
    if (!isNumber(budget) || budget < 1024)
      throw new SimulatedRejection(
        'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024',
        'thinking.budget_tokens',
      )
    if (maxTokens !== undefined && budget >= maxTokens)
      throw new SimulatedRejection('`max_tokens` must be greater than `thinking.budget_tokens`.', 'max_tokens')
  }
  return { shown: thinking['display'] !== 'omitted', budgeted: thinking['type'] === 'enabled' }
}

interface Turn {
  /** Calls of the assistant's last turn: id to name. */
  readonly open: Map<string, string>
  results: SimulatedResult[]
  seals: number
}

function readMessages(messages: readonly Json[]) {
  const prompt: string[] = []
  const instructions: string[] = []
  const turn: Turn = { open: new Map(), results: [], seals: 0 }
  let lastText = ''
  let attachments: readonly string[] = []
  let lastRole = ''
  for (const [message, path] of objectsIn(messages, 'messages')) {
    const role = requireString(message['role'], at(path, 'role'))
    if (!['user', 'assistant', 'system'].includes(role)) throw new SimulatedRejection(`Unexpected role "${role}".`, at(path, 'role'))
    const waiting = new Map(turn.open)
    const content = message['content']
    if (role === 'assistant' && lastRole !== 'assistant') turn.results = []
    const { text, media } = isString(content) ? { text: content, media: [] } : readBlocks(content, at(path, 'content'), role, turn)
    prompt.push(`${role}: ${isString(content) ? content : JSON.stringify(content)}`)
    if (role === 'user' || lastRole === 'assistant') {
      const missing = [...waiting.keys()].filter((id) => turn.open.has(id))
      if (role !== 'assistant' && missing.length > 0) {
        throw new SimulatedRejection(
          `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}`,
          path,
        )
      }
    }
    if (role === 'user' && (text !== '' || media.length > 0)) [lastText, attachments] = [text, media]
    if (role === 'system') instructions.push(text)
    lastRole = role
  }
  if (turn.open.size > 0) {
    throw new SimulatedRejection(
      `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...turn.open.keys()].join(', ')}`,
      'messages',
    )
  }
  const { results, seals } = turn
  return { instructions: instructions.join('\n'), lastText, attachments, results, prompt, seals, continues: lastRole === 'assistant' }
}

function readBlocks(content: Json | undefined, path: string, role: string, turn: Turn): { text: string; media: string[] } {
  const texts: string[] = []
  const media: string[] = []
  for (const [block, here] of objectsIn(requireList(content, path), path)) {
    switch (block['type']) {
      case 'text': {
        const text = requireString(block['text'], at(here, 'text'))
        if (text === '') throw new SimulatedRejection('text content blocks must be non-empty', at(here, 'text'))
        texts.push(text)
        break
      }
      case 'image':
      case 'document':
        media.push(describeSource(requireObject(block['source'], at(here, 'source')), block['type'], at(here, 'source')))
        break
      case 'thinking': {
        const thought = requireString(block['thinking'], at(here, 'thinking'))
        if (!sealHolds('anthropic-messages', requireString(block['signature'], at(here, 'signature')), thought)) {
          throw new SimulatedRejection('Invalid `signature` in `thinking` block', here)
        }
        turn.seals++
        break
      }
      case 'redacted_thinking':
        if (!sealHolds('anthropic-messages', requireString(block['data'], at(here, 'data')))) {
          throw new SimulatedRejection('Invalid `data` in `redacted_thinking` block', here)
        }
        turn.seals++
        break
      case 'tool_use': {
        const id = requireString(block['id'], at(here, 'id'))
        if (role !== 'assistant') throw new SimulatedRejection('`tool_use` blocks can only be in `assistant` messages', here)
        if (!/^[a-zA-Z0-9_-]+$/.test(id)) throw new SimulatedRejection("String should match pattern '^[a-zA-Z0-9_-]+$'", at(here, 'id'))
        requireObject(block['input'], at(here, 'input'))
        turn.open.set(id, requireString(block['name'], at(here, 'name')))
        break
      }
      case 'tool_result':
        turn.results.push(resultOf(block, here, role, turn))
        break
      default:
        if (!isString(block['type'])) throw new SimulatedRejection('Field required', at(here, 'type'))
    }
  }
  return { text: texts.join('\n'), media }
}

function resultOf(block: JsonObject, path: string, role: string, turn: Turn): SimulatedResult {
  if (role !== 'user') throw new SimulatedRejection('`tool_result` blocks can only be in `user` messages', path)
  const id = requireString(block['tool_use_id'], at(path, 'tool_use_id'))
  const name = turn.open.get(id)
  if (name === undefined) {
    throw new SimulatedRejection(`unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}`, path)
  }
  turn.open.delete(id)
  const content = block['content']
  const inner = isString(content) ? { text: content, media: [] } : readBlocks(content ?? [], at(path, 'content'), 'result', turn)
  return { name, text: [inner.text, ...inner.media.map((one) => `[${one}]`)].join(' ').trim(), isError: block['is_error'] === true }
}

function describeSource(source: JsonObject, kind: string, path: string): string {
  switch (source['type']) {
    case 'base64': {
      const mime = requireString(source['media_type'], at(path, 'media_type'))
      return `${kind} ${mime}, ${base64Size(requireString(source['data'], at(path, 'data')), at(path, 'data'))} bytes`
    }
    case 'url':
      return describeUrl(requireString(source['url'], at(path, 'url')), kind, at(path, 'url'))
    case 'text':
      return `${kind} ${String(source['media_type'])}, ${requireString(source['data'], at(path, 'data')).length} characters`
    case 'file':
      return `${kind} ${requireString(source['file_id'], at(path, 'file_id'))}`
    default:
      return `${kind} ${String(source['type'])}`
  }
}

function toolOf(tool: JsonObject, path: string): readonly SimulatedTool[] {
  if (isString(tool['type']) && tool['type'] !== 'custom') return []
  const name = requireString(tool['name'], at(path, 'name'))
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
    throw new SimulatedRejection("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", at(path, 'name'))
  const schema = requireObject(tool['input_schema'], at(path, 'input_schema'))
  if (schema['type'] !== 'object') throw new SimulatedRejection("Input should be 'object'", at(path, 'input_schema.type'))
  return [{ name, schema }]
}

function choiceOf(choice: Json | undefined, tools: readonly SimulatedTool[]): Ask['choice'] {
  if (choice === undefined || choice === null) return 'auto'
  const type = requireObject(choice, 'tool_choice')['type']
  if (type === 'auto' || type === 'none') return type
  if (tools.length === 0) throw new SimulatedRejection('tool_choice may only be specified while providing tools', 'tool_choice')
  if (type === 'any') return 'required'
  const name = requireString((choice as JsonObject)['name'], 'tool_choice.name')
  if (!tools.some((tool) => tool.name === name))
    throw new SimulatedRejection(`Tool '${name}' not found in provided tools`, 'tool_choice.name')
  return { name }
}

function schemaOf(format: Json | undefined): Json | undefined {
  if (!isObject(format)) return undefined
  return requireObject(format['schema'], 'output_config.format.schema')
}

const head = (answer: Answer, ask: Ask): JsonObject => ({
  id: `msg_${answer.id}`,
  type: 'message',
  role: 'assistant',
  model: ask.model,
  container: null,
})

function blockOf(piece: Piece): JsonObject {
  switch (piece.type) {
    case 'reasoning':
      return { type: 'thinking', thinking: piece.text, signature: piece.seal ?? '' }
    case 'call':
      return { type: 'tool_use', id: `toolu_${piece.id}`, name: piece.name, input: JSON.parse(piece.arguments) as Json }
    default:
      return { type: 'text', text: piece.text }
  }
}

const stopDetails = ({ finish }: Answer): Json =>
  finish === 'refusal' || finish === 'filter' ? { type: 'refusal', category: null, explanation: 'The simulator was told to refuse.' } : null

const usageOf = ({ usage }: Answer): JsonObject => ({
  input_tokens: usage.input - usage.cached - usage.written,
  cache_creation_input_tokens: usage.written,
  cache_read_input_tokens: usage.cached,
  cache_creation: { ephemeral_5m_input_tokens: usage.written, ephemeral_1h_input_tokens: 0 },
  output_tokens: usage.output,
  output_tokens_details: { thinking_tokens: usage.reasoning },
  service_tier: 'standard',
})

const eventOf = (type: string, data: JsonObject): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

function* stream(answer: Answer, ask: Ask): Generator<Frame> {
  const frame = (kind: Frame['kind'], type: string, data: JsonObject): Frame => ({ kind, text: eventOf(type, data) })
  const usage = usageOf(answer)
  const message = { ...head(answer, ask), content: [], stop_reason: null, stop_sequence: null, stop_details: null }
  yield frame('open', 'message_start', { message: { ...message, usage: { ...usage, output_tokens: 1, output_tokens_details: null } } })
  yield frame('open', 'ping', {})
  for (const [index, piece] of answer.pieces.entries()) {
    yield frame('open', 'content_block_start', { index, content_block: emptyBlock(piece) })
    for (const delta of deltasOf(piece)) yield frame('output', 'content_block_delta', { index, delta })
    yield frame('open', 'content_block_stop', { index })
  }
  const delta = {
    stop_reason: stopReasons[answer.finish],
    stop_sequence: answer.stopSequence ?? null,
    stop_details: stopDetails(answer),
    container: null,
  }
  yield frame('close', 'message_delta', { delta, usage })
  yield frame('close', 'message_stop', {})
}

function emptyBlock(piece: Piece): JsonObject {
  const block = blockOf(piece)
  if (piece.type === 'reasoning') return { ...block, thinking: '', signature: '' }
  return piece.type === 'call' ? { ...block, input: {} } : { ...block, text: '' }
}

function deltasOf(piece: Piece): readonly JsonObject[] {
  switch (piece.type) {
    case 'reasoning':
      return [
        ...steps(piece.text).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: piece.seal ?? '' },
      ]
    case 'call':
      return ['', ...steps(piece.arguments)].map((text) => ({ type: 'input_json_delta', partial_json: text }))
    default:
      return steps(piece.text).map((text) => ({ type: 'text_delta', text }))
  }
}
