/** Gemini generateContent as a provider speaks it. Reads both spellings that the vendor's JSON mapping allows. */
import type { HttpRequest } from '../../core/http.ts'
import { at, isFilled, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { steps } from './answer.ts'
import {
  base64Size,
  copiesOf,
  objectsIn,
  optionalBetween,
  optionalCount,
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

const finishReasons: Readonly<Record<Answer['finish'], string>> = {
  stop: 'STOP',
  'stop-sequence': 'STOP',
  length: 'MAX_TOKENS',
  calls: 'STOP',
  filter: 'SAFETY',
  refusal: 'STOP',
  pause: 'CONTINUATION',
}
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}
/** What a client may send in place of a signature that it never had. */
const anySignature = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go']

const isSse = (request: HttpRequest): boolean => new URLSearchParams(request.query).get('alt') === 'sse'

export const simulatedGemini: SimulatedWire = {
  id: 'gemini',
  read,
  streamType: (request) => (isSse(request) ? 'text/event-stream' : 'application/json; charset=UTF-8'),
  count: (tokens) => ({ totalTokens: tokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }] }),
  error,
  errorFrame: (details) => `data: ${JSON.stringify(error(details))}\n\n`,
  plain: (answer, ask) => chunkOf(answer, ask, partsOf(answer.pieces), true),
  stream,
}

function error({ status, message, path, retryAfterMs }: ErrorDetails): JsonObject {
  const details: JsonObject[] = []
  if (path !== undefined) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: path, description: message }] })
  }
  if (retryAfterMs !== undefined)
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfterMs / 1000}s` })
  return {
    error: {
      code: status,
      message,
      status: statuses[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT'),
      ...(details.length > 0 ? { details } : {}),
    },
  }
}

/** A member by its camelCase name, or by the snake_case form of it. */
const member = (object: JsonObject, name: string): Json | undefined =>
  object[name] ?? object[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]

function read(body: JsonObject, request: HttpRequest): Ask {
  const [, model = '', verb = ''] = /\/models\/(.+):(\w+)$/.exec(decodeURIComponent(request.path)) ?? []
  const inner = verb === 'countTokens' && isObject(body['generateContentRequest']) ? body['generateContentRequest'] : body
  const contents = requireList(inner['contents'], 'contents')
  if (contents.length === 0) throw new SimulatedRejection('contents is not specified', 'contents')
  const conversation = readContents(contents, alwaysThinks(model))
  const system = systemOf(member(inner, 'systemInstruction'))
  const config = member(inner, 'generationConfig')
  const settings = isObject(config) ? config : {}
  optionalBetween(settings['temperature'], 'generationConfig.temperature', 0, 2)
  const thinking = member(settings, 'thinkingConfig')
  const tools = objectsIn(inner['tools'], 'tools').flatMap(([tool, path]) => toolsOf(tool, path))
  return {
    model,
    stream: verb === 'streamGenerateContent',
    ...conversation,
    instructions: system,
    tools,
    choice: choiceOf(member(inner, 'toolConfig'), tools),
    parallel: true,
    schema: schemaOf(settings),
    reasoning: reasoningOf(thinking, alwaysThinks(model)),
    maxTokens: optionalCount(member(settings, 'maxOutputTokens'), 'generationConfig.maxOutputTokens'),
    stop: optionalList(member(settings, 'stopSequences'), 'generationConfig.stopSequences').filter(isString),
    prompt: [...(system === '' ? [] : [system]), ...conversation.prompt, ...tools.map((tool) => JSON.stringify(tool))],
    cacheMarks: undefined,
    continues: isFilled(member(inner, 'continuationToken')),
    copies: copiesOf(member(settings, 'candidateCount'), 'generationConfig.candidateCount', 8),
  }
}

/** Models since version 3 think unasked, and want the signatures of their calls back. */
const alwaysThinks = (model: string): boolean => /gemini-[3-9]/.test(model)

function reasoningOf(thinking: Json | undefined, always: boolean): Ask['reasoning'] {
  const config = isObject(thinking) ? thinking : {}
  if (member(config, 'thinkingBudget') === 0 || (!always && !isObject(thinking))) return undefined
  return { shown: member(config, 'includeThoughts') === true, sealed: true }
}

function systemOf(system: Json | undefined): string {
  if (system === undefined || system === null) return ''
  if (isString(system)) return system
  const parts = requireObject(system, 'systemInstruction')['parts']
  return objectsIn(Array.isArray(parts) ? parts : parts === undefined ? [] : [parts as Json], 'systemInstruction.parts')
    .map(([part, path]) => requireString(part['text'], at(path, 'text')))
    .join('\n')
}

function readContents(contents: readonly Json[], needsSignature: boolean) {
  const prompt: string[] = []
  let lastText = ''
  let attachments: string[] = []
  let results: SimulatedResult[] = []
  let seals = 0
  let waiting = 0
  for (const [content, path] of objectsIn(contents, 'contents')) {
    const role = content['role'] ?? 'user'
    if (!['user', 'model', 'function'].includes(role as string)) {
      throw new SimulatedRejection('Please use a valid role: user, model.', at(path, 'role'))
    }
    const turn = readParts(content['parts'], at(path, 'parts'), needsSignature && role === 'model')
    prompt.push(`${String(role)}: ${JSON.stringify(content['parts'])}`)
    seals += turn.seals
    if (role === 'model') {
      // The vendor's own chat helper keeps every chunk of a stream as a content of its own: together they are one turn.
      results = []
      waiting += turn.calls
      continue
    }
    if (turn.results.length !== waiting) {
      throw new SimulatedRejection(
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
        path,
      )
    }
    waiting = 0
    results = turn.results
    if (turn.text !== '' || turn.media.length > 0) [lastText, attachments] = [turn.text, turn.media]
  }
  return { lastText, attachments, results, prompt, seals }
}

function readParts(list: Json | undefined, path: string, needsSignature: boolean) {
  const texts: string[] = []
  const media: string[] = []
  const results: SimulatedResult[] = []
  let calls = 0
  let seals = 0
  const parts = objectsIn(requireList(list, path), path)
  if (parts.length === 0) throw new SimulatedRejection('must include at least one parts field', path)
  for (const [part, here] of parts) {
    const signature = member(part, 'thoughtSignature')
    if (isString(signature) && !anySignature.includes(signature) && !anySignature.includes(decoded(signature))) {
      if (!sealHolds('gemini', signature)) throw new SimulatedRejection('Thought signature is not valid', at(here, 'thoughtSignature'))
      seals++
    }
    const [call, response] = [member(part, 'functionCall'), member(part, 'functionResponse')]
    const [inline, file] = [member(part, 'inlineData'), member(part, 'fileData')]
    if (isObject(call)) {
      requireString(call['name'], at(here, 'functionCall.name'))
      if (call['args'] !== undefined) requireObject(call['args'], at(here, 'functionCall.args'))
      if (needsSignature && calls === 0 && !isFilled(signature)) {
        throw new SimulatedRejection('Function call is missing a thought_signature in functionCall parts.', here)
      }
      calls++
    } else if (isObject(response)) {
      const value = requireObject(response['response'], at(here, 'functionResponse.response'))
      const name = requireString(response['name'], at(here, 'functionResponse.name'))
      results.push({ name, text: JSON.stringify(value), isError: 'error' in value })
    } else if (isObject(inline)) {
      const mime = requireString(member(inline, 'mimeType'), at(here, 'inlineData.mimeType'))
      const kind = mime.startsWith('image/') ? 'image' : mime.startsWith('audio/') ? 'audio' : 'file'
      media.push(
        `${kind} ${mime}, ${base64Size(requireString(inline['data'], at(here, 'inlineData.data')), at(here, 'inlineData.data'))} bytes`,
      )
    } else if (isObject(file)) media.push(`file ${requireString(member(file, 'fileUri'), at(here, 'fileData.fileUri'))}`)
    else if (part['text'] !== undefined) {
      const text = requireString(part['text'], at(here, 'text'))
      if (part['thought'] !== true) texts.push(text)
    } else if (Object.keys(part).every((name) => ['thought', 'thoughtSignature', 'text'].includes(name))) {
      throw new SimulatedRejection("required oneof field 'data' must have one initialized field", here)
    }
  }
  return { text: texts.join('\n'), media, results, calls, seals }
}

function decoded(base64: string): string {
  try {
    return atob(base64)
  } catch {
    return ''
  }
}

function toolsOf(tool: JsonObject, path: string): readonly SimulatedTool[] {
  return objectsIn(member(tool, 'functionDeclarations'), at(path, 'functionDeclarations')).map(([declaration, here]) => {
    const name = requireString(declaration['name'], at(here, 'name'))
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(name)) throw new SimulatedRejection('Invalid function name.', at(here, 'name'))
    const [openApi, json] = [declaration['parameters'], member(declaration, 'parametersJsonSchema')]
    if (openApi !== undefined && json !== undefined)
      throw new SimulatedRejection('Only one of parameters and parametersJsonSchema may be set.', here)
    return { name, schema: json ?? openApi }
  })
}

function choiceOf(config: Json | undefined, tools: readonly SimulatedTool[]): Ask['choice'] {
  const calling = isObject(config) ? member(config, 'functionCallingConfig') : undefined
  if (!isObject(calling)) return 'auto'
  const allowed = optionalList(member(calling, 'allowedFunctionNames'), 'toolConfig.functionCallingConfig.allowedFunctionNames').filter(
    isString,
  )
  const [only] = allowed
  switch (calling['mode']) {
    case 'NONE':
      return 'none'
    case 'ANY':
      if (allowed.some((name) => !tools.some((tool) => tool.name === name))) {
        throw new SimulatedRejection(
          'Function names in allowed_function_names must be declared.',
          'toolConfig.functionCallingConfig.allowedFunctionNames',
        )
      }
      return only === undefined || allowed.length > 1 ? 'required' : { name: only }
    default:
      if (allowed.length > 0 && calling['mode'] !== 'VALIDATED') {
        throw new SimulatedRejection(
          'Please set the function calling mode to ANY to use allowed_function_names.',
          'toolConfig.functionCallingConfig',
        )
      }
      return 'auto'
  }
}

function schemaOf(settings: JsonObject): Json | undefined {
  const [openApi, json] = [member(settings, 'responseSchema'), member(settings, 'responseJsonSchema')]
  const mime = member(settings, 'responseMimeType')
  if ((openApi ?? json) !== undefined && !isString(mime)) {
    throw new SimulatedRejection(
      'response_schema is only supported with response_mime_type application/json',
      'generationConfig.responseSchema',
    )
  }
  return json ?? openApi ?? (mime === 'application/json' ? true : undefined)
}

/** Signatures sit on the first call, else on the last text. */
function partsOf(pieces: readonly Piece[]): readonly JsonObject[] {
  const parts: JsonObject[] = []
  let seal: string | undefined
  const signed = () => {
    const value = seal
    seal = undefined
    return value === undefined ? {} : { thoughtSignature: value }
  }
  for (const piece of pieces) {
    if (piece.type === 'reasoning') {
      seal = piece.seal
      if (piece.text !== '') parts.push({ text: piece.text, thought: true })
    } else if (piece.type === 'call') {
      const args = JSON.parse(piece.arguments) as Json
      parts.push({ functionCall: { id: piece.id, name: piece.name, args }, ...signed() })
    } else parts.push({ text: piece.text, ...(pieces.some(({ type }) => type === 'call') ? {} : signed()) })
  }
  return parts
}

function chunkOf(answer: Answer, ask: Ask, parts: readonly JsonObject[], last: boolean): JsonObject {
  const ending = last ? { finishReason: finishReasons[answer.finish] } : {}
  const pause = last && answer.finish === 'pause' ? { continuationToken: `more-${answer.id}` } : {}
  const copies = last ? ask.copies : 1
  return {
    candidates: Array.from({ length: copies }, (_, index) => ({
      content: { role: 'model', ...(parts.length > 0 ? { parts } : {}) },
      ...ending,
      ...pause,
      index,
    })),
    usageMetadata: usageOf(answer, last),
    modelVersion: ask.model,
    responseId: answer.id,
  }
}

function usageOf({ usage }: Answer, last: boolean): JsonObject {
  const spoken = last ? usage.output - usage.reasoning : 0
  return {
    promptTokenCount: usage.input,
    ...(usage.cached > 0 ? { cachedContentTokenCount: usage.cached } : {}),
    ...(last ? { candidatesTokenCount: spoken } : {}),
    ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {}),
    totalTokenCount: usage.input + spoken + usage.reasoning,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: usage.input }],
  }
}

/** Server-sent events with `alt=sse`, else one JSON array that grows. */
function* stream(answer: Answer, ask: Ask, _body: JsonObject, request: HttpRequest): Generator<Frame> {
  const sse = isSse(request)
  let first = true
  const frame = (kind: Frame['kind'], value: JsonObject): Frame => {
    const text = sse ? `data: ${JSON.stringify(value)}\r\n\r\n` : `${first ? '[' : ',\r\n'}${JSON.stringify(value)}`
    first = false
    return { kind, text }
  }
  const parts = partsOf(answer.pieces)
  for (const part of parts) {
    if (!isString(part['text'])) {
      yield frame('output', chunkOf(answer, ask, [part], false))
      continue
    }
    const { thoughtSignature, ...plain } = part
    const words = steps(part['text'])
    for (const [index, text] of words.entries()) {
      const signature = index === words.length - 1 && thoughtSignature !== undefined ? { thoughtSignature } : {}
      yield frame('output', chunkOf(answer, ask, [{ ...plain, text, ...signature }], false))
    }
  }
  yield frame('close', chunkOf(answer, ask, answer.finish === 'filter' ? [] : [{ text: '' }], true))
  if (!sse) yield { kind: 'close', text: ']' }
}
