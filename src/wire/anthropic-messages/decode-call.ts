/** A client's Messages body as a call. */
import type { ChatCall, Message, SettingName, Settings } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, compact, type Json, type JsonObject } from '../../core/json.ts'
import type { DecodeContext } from '../wire.ts'
import { decodeContent, WIRE } from './decode-content.ts'
import { decodeFormat, decodeReasoning, decodeToolChoice, decodeTools } from './decode-tools.ts'
import {
  booleanAt,
  cacheOf,
  integerAt,
  isAbsent,
  joined,
  listAt,
  numberAt,
  objectAt,
  requiredObject,
  requiredString,
  stringAt,
  stringsAt,
  unread,
} from './read.ts'

const READ = [
  'model',
  'messages',
  'system',
  'stream',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'metadata',
  'service_tier',
  'tools',
  'mcp_servers',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'cache_control',
  'anthropic_version',
]

/** From this version on, sampling is no longer part of the API. */
const NARROW_SINCE = '2026-10-21'

export function decodeCall(body: JsonObject, context: DecodeContext): ChatCall {
  // Vertex and Bedrock put the version into the body.
  const version = context.version ?? stringAt(body['anthropic_version'], 'anthropic_version')
  const narrow = version !== undefined && /^\d{4}-\d\d-\d\d$/.test(version) && version >= NARROW_SINCE
  const { choice, parallel, more: choiceMore } = decodeToolChoice(body['tool_choice'])
  const { format, more: formatMore } = decodeFormat(body)
  const { cache, more: cacheMore } = cacheOf(body, '')
  const { settings, paths, more: metadataMore } = decodeSettings(body, narrow, parallel)
  return compact({
    op: 'chat',
    wire: WIRE,
    path: '',
    model: stringAt(body['model'], 'model') ?? context.model ?? requiredString(body['model'], 'model'),
    stream: booleanAt(body['stream'], 'stream') ?? context.stream ?? false,
    messages: [...systemOf(body['system']), ...messagesOf(body['messages'], narrow)],
    tools: decodeTools(body),
    toolChoice: choice,
    format,
    reasoning: decodeReasoning(body),
    settings,
    paths,
    cache,
    extras: joined(unread(body, ...READ), choiceMore && { tool_choice: choiceMore }, formatMore, metadataMore, cacheMore),
    version,
  } satisfies ChatCall)
}

function systemOf(system: Json | undefined): readonly Message[] {
  if (isAbsent(system) || system === '') return []
  return [{ role: 'system', parts: decodeContent(system, 'system', { role: 'system', narrow: false }), path: 'system' }]
}

function messagesOf(value: Json | undefined, narrow: boolean): readonly Message[] {
  const list = listAt(value, 'messages')
  if (!list) throw invalid('Field required', 'messages')
  if (list.length === 0) throw invalid('at least one message is required', 'messages')
  return list.map((item, index): Message => {
    const path = at('messages', index)
    const message = requiredObject(item, path)
    const { role } = message
    if (role !== 'user' && role !== 'assistant' && role !== 'system')
      throw invalid("Input should be one of 'user', 'assistant', 'system'", at(path, 'role'))
    const parts = decodeContent(message['content'], at(path, 'content'), { role, narrow })
    return compact({ role, parts, path, extras: unread(message, 'role', 'content') })
  })
}

function decodeSettings(body: JsonObject, narrow: boolean, parallel: boolean | undefined) {
  for (const name of ['temperature', 'top_p', 'top_k'])
    if (narrow && !isAbsent(body[name])) throw invalid('Extra inputs are not permitted', name)
  const metadata = objectAt(body['metadata'], 'metadata')
  const all: Settings = {
    maxTokens: integerAt(body['max_tokens'], 'max_tokens', 0),
    temperature: numberAt(body['temperature'], 'temperature'),
    topP: numberAt(body['top_p'], 'top_p'),
    topK: integerAt(body['top_k'], 'top_k', 0),
    stop: stringsAt(body['stop_sequences'], 'stop_sequences'),
    user: stringAt(metadata?.['user_id'], 'metadata.user_id'),
    serviceTier: stringAt(body['service_tier'], 'service_tier'),
    parallelTools: parallel,
  }
  const settings = compact(all)
  const more = metadata && unread(metadata, 'user_id')
  return {
    settings,
    paths: Object.fromEntries(Object.keys(settings).map((name) => [name, PATHS[name as SettingName]])),
    more: more && { metadata: more },
  }
}

const PATHS: { readonly [Name in SettingName]?: string } = {
  maxTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop_sequences',
  user: 'metadata.user_id',
  serviceTier: 'service_tier',
  parallelTools: 'tool_choice.disable_parallel_tool_use',
}
