/** A Chat Completions body as a call. */
import type { ChatCall, Settings, Tool } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { openaiResponses } from '../openai-responses/wire.ts'
import type { DecodeContext } from '../wire.ts'
import { messageOf } from './decode-message.ts'
import { REASONING_FIELDS, reasoningOf } from './decode-reasoning.ts'
import { formatOf, functionTool, toolChoiceOf, toolOf, webSearchTool } from './decode-tools.ts'
import { asObject, countAt, flagAt, listAt, names, numberAt, objectAt, restOf, textAt, textsAt } from './read.ts'

const KNOWN =
  names(`model stream messages tools functions tool_choice function_call response_format web_search_options stream_options signalbox
  max_tokens max_completion_tokens temperature top_p top_k stop seed random_seed presence_penalty frequency_penalty logit_bias logprobs
  top_logprobs n user safety_identifier service_tier metadata store parallel_tool_calls verbosity prompt_cache_key modalities
  ${REASONING_FIELDS.join(' ')}`)

export function decodeCall(body: JsonObject, context: DecodeContext): ChatCall {
  // Some editors send the body of Responses here, and expect chunks of Chat all the same.
  if (nothing(body['messages']) && !nothing(body['input'])) return responsesShaped(body, context)
  const messages = listAt(body, 'messages', '')
  if (!messages) throw invalid('messages is missing.', 'messages')
  if (messages.length === 0) throw invalid('messages must hold at least one message.', 'messages')
  const extras: Record<string, Json | undefined> = { ...restOf(body, KNOWN) }
  const { settings, paths } = settingsOf(body, extras)
  const { wish, rest } = reasoningOf(body)
  Object.assign(extras, rest)
  const options = objectAt(body, 'stream_options', '')
  const format = objectAt(body, 'response_format', '')
  const choice = [body['tool_choice'], body['function_call']].find((value) => !nothing(value))
  const choicePath = nothing(body['tool_choice']) ? 'function_call' : 'tool_choice'
  const toolChoice = toolChoiceOf(choice, choicePath)
  if (choice !== undefined && !toolChoice) extras[choicePath] = choice
  const decoded = format && formatOf(format, 'response_format')
  const formatRest = format && (decoded ? restOfFormat(format) : restOf(format, names('')))
  if (formatRest) extras['response_format'] = formatRest
  const optionsRest = options && restOf(options, names('include_usage'))
  if (optionsRest) extras['stream_options'] = optionsRest
  return {
    op: 'chat',
    path: '',
    wire: 'openai-chat',
    model: textAt(body, 'model', '') ?? context.model ?? '',
    stream: flagAt(body, 'stream', '') ?? context.stream ?? false,
    streamUsage: (options && flagAt(options, 'include_usage', 'stream_options')) ?? false,
    messages: messages.map((message, index) => messageOf(message, at('messages', index))),
    tools: toolsOf(body),
    ...(toolChoice && { toolChoice }),
    ...(decoded && { format: decoded }),
    ...(wish && { reasoning: wish }),
    settings,
    paths,
    ...(Object.keys(extras).length > 0 && { extras }),
  }
}

const nothing = (value: Json | undefined): boolean => value === undefined || value === null

function responsesShaped(body: JsonObject, context: DecodeContext): ChatCall {
  const { stream_options: options, ...rest } = body
  const given = isObject(options) ? options : {}
  const { include_usage: _, ...others } = given
  const call = openaiResponses.decodeCall(Object.keys(others).length > 0 ? { ...rest, stream_options: others } : rest, context)
  return { ...call, streamUsage: given['include_usage'] === true }
}

function toolsOf(body: JsonObject): Tool[] {
  const tools = (listAt(body, 'tools', '') ?? []).map((tool, index) => toolOf(tool, at('tools', index)))
  for (const [index, definition] of (listAt(body, 'functions', '') ?? []).entries()) {
    const path = at('functions', index)
    tools.push(functionTool(asObject(definition, path), path, undefined, path))
  }
  const search = objectAt(body, 'web_search_options', '')
  return search ? [...tools, webSearchTool(search)] : tools
}

function restOfFormat(format: JsonObject): JsonObject | undefined {
  const given = format['json_schema']
  const inner = isObject(given) ? restOf(given, names('name description schema strict')) : undefined
  const outer = restOf(format, names('type json_schema schema'))
  return inner ? { ...outer, json_schema: inner } : outer
}

/** Where a value may stand under two names, the first one counts; the other is kept when it says something else. */
function settingsOf(body: JsonObject, extras: Record<string, Json | undefined>): { settings: Settings; paths: ChatCall['paths'] } {
  const settings: Record<string, unknown> = {}
  const paths: Record<string, string> = {}
  const take = <Name extends keyof Settings>(name: Name, read: (key: string) => Settings[Name], ...keys: readonly string[]): void => {
    for (const key of keys) {
      const value = read(key)
      if (value === undefined) continue
      if (settings[name] === undefined) {
        settings[name] = value
        paths[name] = key
      } else if (settings[name] !== value) extras[key] = body[key]
    }
  }
  const number = (key: string): number | undefined => numberAt(body, key, '')
  const count = (key: string): number | undefined => countAt(body, key, '')
  const text = (key: string): string | undefined => textAt(body, key, '')
  const flag = (key: string): boolean | undefined => flagAt(body, key, '')
  const object = (key: string): JsonObject | undefined => objectAt(body, key, '')
  take('maxTokens', count, 'max_completion_tokens', 'max_tokens')
  take('temperature', number, 'temperature')
  take('topP', number, 'top_p')
  take('topK', number, 'top_k')
  take('stop', (key) => textsAt(body, key, ''), 'stop')
  take('seed', number, 'seed', 'random_seed')
  take('presencePenalty', number, 'presence_penalty')
  take('frequencyPenalty', number, 'frequency_penalty')
  take('logitBias', object, 'logit_bias')
  take('logprobs', flag, 'logprobs')
  take('topLogprobs', count, 'top_logprobs')
  take('n', count, 'n')
  take('user', text, 'user', 'safety_identifier')
  take('serviceTier', text, 'service_tier')
  take('metadata', object, 'metadata')
  take('store', flag, 'store')
  take('parallelTools', flag, 'parallel_tool_calls')
  take('verbosity', text, 'verbosity')
  take('promptCacheKey', text, 'prompt_cache_key')
  take('modalities', (key) => (isString(body[key]) ? undefined : textsAt(body, key, '')), 'modalities')
  const choice = body['tool_choice']
  if (isObject(choice) && choice['disable_parallel_tool_use'] === true && settings['parallelTools'] === undefined) {
    settings['parallelTools'] = false
    paths['parallelTools'] = 'tool_choice.disable_parallel_tool_use'
  }
  return { settings, paths }
}
