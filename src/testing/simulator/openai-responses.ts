/** OpenAI Responses as a provider speaks it. Keeps nothing: conversations come whole. */
import { at, isFilled, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { steps } from './answer.ts'
import { openaiError } from './openai-error.ts'
import {
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
  type Frame,
  type Piece,
  SimulatedRejection,
  type SimulatedResult,
  type SimulatedTool,
  type SimulatedWire,
} from './types.ts'

export const simulatedOpenaiResponses: SimulatedWire = {
  id: 'openai-responses',
  read,
  streamType: () => 'text/event-stream; charset=utf-8',
  count: (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
  error: openaiError,
  errorFrame: (details) => {
    const { message, code, status } = details
    const error = { code: code ?? (status === 429 ? 'rate_limit_exceeded' : 'server_error'), message }
    const response = { id: 'resp_simulator_failed', object: 'response', created_at: 0, status: 'failed', error, output: [], usage: null }
    // The vendor tells it twice: clients differ in which of the two they read.
    return `${eventOf('error', { sequence_number: 9_998, ...openaiError(details) })}${eventOf('response.failed', { sequence_number: 9_999, response })}`
  },
  plain: (answer, ask, body) => responseOf(answer, ask, body, outputOf(answer, ask), true),
  stream,
}

function read(body: JsonObject): Ask {
  const model = requireString(body['model'], 'model')
  const input = body['input']
  if (isString(body['previous_response_id'])) {
    throw new SimulatedRejection(`Previous response with id '${body['previous_response_id']}' not found.`, 'previous_response_id', {
      code: 'previous_response_not_found',
    })
  }
  optionalBetween(body['temperature'], 'temperature', 0, 2)
  optionalBetween(body['top_p'], 'top_p', 0, 1)
  const conversation = isString(input)
    ? { instructions: '', lastText: input, attachments: [], results: [], prompt: [`user: ${input}`], seals: 0 }
    : readItems(requireList(input, 'input'))
  const instructions = isString(body['instructions']) ? [body['instructions']] : []
  const tools = objectsIn(body['tools'], 'tools').flatMap(([tool, path]) => toolOf(tool, path))
  const text = isObject(body['text']) ? body['text'] : {}
  const reasoning = isObject(body['reasoning']) ? body['reasoning'] : undefined
  const thinks = reasoning !== undefined && reasoning['effort'] !== 'none'
  return {
    model,
    stream: optionalFlag(body['stream'], 'stream'),
    ...conversation,
    instructions: [...instructions, conversation.instructions].join('\n').trim(),
    tools,
    choice: choiceOf(body['tool_choice'], tools),
    parallel: body['parallel_tool_calls'] !== false,
    schema: schemaOf(text['format']),
    reasoning: thinks
      ? {
          shown: isString(reasoning['summary']),
          sealed: optionalList(body['include'], 'include').includes('reasoning.encrypted_content'),
        }
      : undefined,
    maxTokens: optionalCount(body['max_output_tokens'], 'max_output_tokens'),
    stop: [],
    prompt: [...instructions, ...conversation.prompt, ...tools.map((tool) => JSON.stringify(tool))],
    cacheMarks: undefined,
    continues: false,
    copies: 1,
  }
}

const messageRoles = ['user', 'assistant', 'system', 'developer']

function readItems(items: readonly Json[]) {
  const prompt: string[] = []
  const instructions: string[] = []
  const open = new Map<string, string>()
  let lastText = ''
  let attachments: string[] = []
  let results: SimulatedResult[] = []
  let seals = 0
  for (const [index, entry] of items.entries()) {
    const path = at('input', index)
    const item = requireObject(entry, path)
    prompt.push(JSON.stringify(item))
    switch (item['type'] ?? 'message') {
      case 'message': {
        const role = requireString(item['role'], at(path, 'role'))
        if (!messageRoles.includes(role)) throw new SimulatedRejection(`Invalid value: '${role}'.`, at(path, 'role'))
        const { text, media } = contentOf(item['content'], at(path, 'content'), role)
        if (role === 'assistant') results = []
        else if (role === 'user') [lastText, attachments] = [text, media]
        else instructions.push(text)
        break
      }
      case 'function_call':
      case 'custom_tool_call':
        requireString(item[item['type'] === 'function_call' ? 'arguments' : 'input'], at(path, 'arguments'))
        open.set(requireString(item['call_id'], at(path, 'call_id')), requireString(item['name'], at(path, 'name')))
        results = []
        break
      case 'function_call_output':
      case 'custom_tool_call_output': {
        const id = requireString(item['call_id'], at(path, 'call_id'))
        const name = open.get(id)
        if (name === undefined) throw new SimulatedRejection(`No tool call found for function call output with call_id ${id}.`, 'input')
        open.delete(id)
        results.push({ name, text: contentOf(item['output'], at(path, 'output'), 'user').text, isError: item['status'] === 'incomplete' })
        break
      }
      case 'reasoning': {
        optionalList(item['summary'], at(path, 'summary'))
        const sealed = item['encrypted_content']
        if (!isFilled(sealed)) break
        if (!sealHolds('openai-responses', sealed)) {
          throw new SimulatedRejection('The encrypted content could not be verified.', at(path, 'encrypted_content'), {
            code: 'invalid_encrypted_content',
          })
        }
        seals++
        break
      }
      default:
    }
  }
  if (open.size > 0) throw new SimulatedRejection(`No tool output found for function call ${[...open.keys()].join(', ')}.`, 'input')
  return { instructions: instructions.join('\n'), lastText, attachments, results, prompt, seals }
}

function contentOf(content: Json | undefined, path: string, role: string): { text: string; media: string[] } {
  if (isString(content)) return { text: content, media: [] }
  const texts: string[] = []
  const media: string[] = []
  for (const [part, here] of objectsIn(requireList(content, path), path)) {
    const type = part['type']
    const fits = role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file', 'input_audio']
    if (!isString(type) || !fits.includes(type)) {
      throw new SimulatedRejection(`Invalid value: '${String(type)}'. Supported values are: ${fits.join(', ')}.`, at(here, 'type'))
    }
    if (type === 'input_text' || type === 'output_text') texts.push(requireString(part['text'], at(here, 'text')))
    else if (type === 'refusal') texts.push(requireString(part['refusal'], at(here, 'refusal')))
    else if (isString(part['image_url'])) media.push(describeUrl(part['image_url'], 'image', at(here, 'image_url')))
    else if (isString(part['file_data'])) media.push(describeUrl(part['file_data'], 'file', at(here, 'file_data')))
    else media.push(`${type.replace('input_', '')} ${String(part['file_url'] ?? part['file_id'])}`)
  }
  return { text: texts.join('\n'), media }
}

function toolOf(tool: JsonObject, path: string): readonly SimulatedTool[] {
  const type = requireString(tool['type'], at(path, 'type'))
  if (type === 'function') return [{ name: requireString(tool['name'], at(path, 'name')), schema: tool['parameters'] ?? undefined }]
  if (type === 'custom') return [{ name: requireString(tool['name'], at(path, 'name')), schema: undefined, freeform: true }]
  return []
}

function choiceOf(choice: Json | undefined, tools: readonly SimulatedTool[]): Ask['choice'] {
  if (choice === undefined || choice === null) return 'auto'
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  const object = requireObject(choice, 'tool_choice')
  if (object['type'] === 'allowed_tools') return object['mode'] === 'required' ? 'required' : 'auto'
  const name = object['name']
  if (!isString(name)) return 'auto'
  if (!tools.some((tool) => tool.name === name))
    throw new SimulatedRejection(`Tool choice '${name}' not found in 'tools' parameter.`, 'tool_choice')
  return { name }
}

function schemaOf(format: Json | undefined): Json | undefined {
  if (!isObject(format) || format['type'] === 'text') return undefined
  if (format['type'] === 'json_object') return true
  requireString(format['name'], 'text.format.name')
  return requireObject(format['schema'], 'text.format.schema')
}

/** Output items, each complete. */
function outputOf(answer: Answer, ask: Ask): readonly JsonObject[] {
  const status = answer.finish === 'length' || answer.finish === 'filter' ? 'incomplete' : 'completed'
  return answer.pieces.map((piece, index) => {
    const id = `${answer.id}${index}`
    switch (piece.type) {
      case 'reasoning':
        return {
          id: `rs_${id}`,
          type: 'reasoning',
          summary: piece.text === '' ? [] : [{ type: 'summary_text', text: piece.text }],
          ...(ask.reasoning?.sealed ? { encrypted_content: piece.seal } : {}),
        }
      case 'call':
        return piece.freeform
          ? {
              id: `ctc_${id}`,
              type: 'custom_tool_call',
              status: 'completed',
              call_id: `call_${piece.id}`,
              name: piece.name,
              input: piece.arguments,
            }
          : {
              id: `fc_${id}`,
              type: 'function_call',
              status: 'completed',
              call_id: `call_${piece.id}`,
              name: piece.name,
              arguments: piece.arguments,
            }
      default:
        return { id: `msg_${id}`, type: 'message', status, role: 'assistant', content: [contentPart(piece)] }
    }
  })
}

const contentPart = (piece: Extract<Piece, { type: 'text' | 'refusal' }>): JsonObject =>
  piece.type === 'refusal'
    ? { type: 'refusal', refusal: piece.text }
    : { type: 'output_text', text: piece.text, annotations: [], logprobs: [] }

function responseOf(answer: Answer, ask: Ask, body: JsonObject, output: readonly Json[], ended: boolean): JsonObject {
  const reason = answer.finish === 'length' ? 'max_output_tokens' : answer.finish === 'filter' ? 'content_filter' : undefined
  const { usage } = answer
  return {
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: answer.created,
    status: ended ? (reason ? 'incomplete' : 'completed') : 'in_progress',
    error: null,
    incomplete_details: ended && reason ? { reason } : null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: ask.maxTokens ?? null,
    metadata: body['metadata'] ?? {},
    model: ask.model,
    output,
    parallel_tool_calls: ask.parallel,
    previous_response_id: null,
    reasoning: body['reasoning'] ?? { effort: null, summary: null },
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? 1,
    truncation: 'disabled',
    usage: ended
      ? {
          input_tokens: usage.input,
          input_tokens_details: { cached_tokens: usage.cached },
          output_tokens: usage.output,
          output_tokens_details: { reasoning_tokens: usage.reasoning },
          total_tokens: usage.input + usage.output,
        }
      : null,
  }
}

const eventOf = (type: string, members: JsonObject): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`

function* stream(answer: Answer, ask: Ask, body: JsonObject): Generator<Frame> {
  let sequence = 0
  const event = (kind: Frame['kind'], type: string, members: JsonObject): Frame => ({
    kind,
    text: eventOf(type, { sequence_number: sequence++, ...members }),
  })
  const items = outputOf(answer, ask)
  yield event('open', 'response.created', { response: responseOf(answer, ask, body, [], false) })
  yield event('open', 'response.in_progress', { response: responseOf(answer, ask, body, [], false) })
  for (const [index, item] of items.entries()) {
    const piece = answer.pieces[index]
    if (piece === undefined) continue
    const place = { item_id: String(item['id']), output_index: index }
    yield event('open', 'response.output_item.added', { output_index: index, item: emptied(item) })
    yield* pieceEvents(piece, item, place, event)
    yield event('open', 'response.output_item.done', { output_index: index, item })
  }
  const final = responseOf(answer, ask, body, items, true)
  yield event('close', `response.${String(final['status'])}`, { response: final })
}

/** The item as it is when it begins. */
function emptied(item: JsonObject): JsonObject {
  switch (item['type']) {
    case 'message':
      return { ...item, status: 'in_progress', content: [] }
    case 'reasoning':
      return { ...item, summary: [] }
    case 'custom_tool_call':
      return { ...item, status: 'in_progress', input: '' }
    default:
      return { ...item, status: 'in_progress', arguments: '' }
  }
}

type EventMaker = (kind: Frame['kind'], type: string, members: JsonObject) => Frame

function* pieceEvents(
  piece: Piece,
  item: JsonObject,
  place: { item_id: string; output_index: number },
  event: EventMaker,
): Generator<Frame> {
  if (piece.type === 'reasoning') {
    if (piece.text === '') return
    const here = { ...place, summary_index: 0 }
    yield event('open', 'response.reasoning_summary_part.added', { ...here, part: { type: 'summary_text', text: '' } })
    for (const delta of steps(piece.text)) yield event('output', 'response.reasoning_summary_text.delta', { ...here, delta })
    yield event('open', 'response.reasoning_summary_text.done', { ...here, text: piece.text })
    yield event('open', 'response.reasoning_summary_part.done', { ...here, part: { type: 'summary_text', text: piece.text } })
  } else if (piece.type === 'call') {
    const [name, member] = piece.freeform ? ['custom_tool_call_input', 'input'] : ['function_call_arguments', 'arguments']
    for (const delta of steps(piece.arguments)) yield event('output', `response.${name}.delta`, { ...place, delta })
    yield event('open', `response.${name}.done`, { ...place, ...(piece.freeform ? {} : { name: item['name'] }), [member]: piece.arguments })
  } else {
    const here = { ...place, content_index: 0 }
    const part = contentPart(piece)
    const [name, member] = piece.type === 'refusal' ? ['refusal', 'refusal'] : ['output_text', 'text']
    const extra = piece.type === 'refusal' ? {} : { logprobs: [] }
    yield event('open', 'response.content_part.added', { ...here, part: { ...part, [member]: '' } })
    for (const delta of steps(piece.text)) yield event('output', `response.${name}.delta`, { ...here, delta, ...extra })
    yield event('open', `response.${name}.done`, { ...here, [member]: piece.text, ...extra })
    yield event('open', 'response.content_part.done', { ...here, part })
  }
}
