/** Tools, choice and format for a Chat provider. */
import type { Tool } from '../../core/call.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { freeformDescription, freeformSchema } from '../restore.ts'
import type { NameRules } from '../tool-names.ts'
import { cacheMarkOf, type Encoding } from './encode-messages.ts'

export const NAME_RULES: NameRules = { legal: /[a-zA-Z0-9_-]/, max: 64 }

export interface EncodedTools {
  readonly tools?: Json
  readonly functions?: Json
  readonly webSearch?: Json
}

/** `only`: the names that a choice allows, where the target knows no such choice. */
export function encodeTools(encoding: Encoding, only: readonly string[] | undefined): EncodedTools {
  const { call, notes, same } = encoding
  const tools: JsonObject[] = []
  const functions: JsonObject[] = []
  let webSearch: Json | undefined
  for (const tool of call.tools) {
    if (tool.type !== 'hosted' && only && !only.includes(tool.name)) {
      notes.dropped(tool.path, 'left out, since the tool choice does not allow it')
      continue
    }
    if (tool.type === 'function') {
      if (same && tool.path.startsWith('functions[')) functions.push(definition(tool, encoding))
      else tools.push(functionTool(tool, encoding))
    } else if (tool.type === 'freeform') tools.push(freeformTool(tool, encoding))
    else if (same && tool.wire === 'openai-chat') {
      if (tool.kind === 'web_search_options') webSearch = tool.value
      else if (isObject(tool.value)) tools.push(tool.value)
    } else notes.dropped(tool.path, `${tool.kind} is run by its own vendor only`)
  }
  return {
    ...(tools.length > 0 && { tools }),
    ...(functions.length > 0 && { functions }),
    ...(webSearch !== undefined && { webSearch }),
  }
}

type Of<Kind extends Tool['type']> = Extract<Tool, { type: Kind }>

function definition(tool: Of<'function'>, { names, same }: Encoding): JsonObject {
  const { description, schema, strict } = tool
  return {
    name: names.sent(tool.name, tool.namespace),
    ...(description !== undefined && { description }),
    ...(schema ? { parameters: schema } : !same && { parameters: { type: 'object', properties: {} } }),
    ...(strict !== undefined && { strict }),
  }
}

function functionTool(tool: Of<'function'>, encoding: Encoding): JsonObject {
  const extras = encoding.notes.extrasOf(tool, encoding.call, 'openai-chat')
  const { function: inner, ...outer } = extras ?? {}
  const own = definition(tool, encoding)
  return { type: 'function', function: isObject(inner) ? { ...own, ...inner } : own, ...cacheMarkOf(tool.cache, encoding), ...outer }
}

/** Custom tools are OpenAI's; elsewhere one is a function with one text. */
function freeformTool(tool: Of<'freeform'>, encoding: Encoding): JsonObject {
  const { call, names, notes, same } = encoding
  const extras = notes.extrasOf(tool, call, 'openai-chat')
  const name = names.sent(tool.name, tool.namespace)
  const mark = cacheMarkOf(tool.cache, encoding)
  const { description, format } = tool
  if (same) {
    const { custom: inner, ...outer } = extras ?? {}
    const own = { name, ...(description !== undefined && { description }), ...(format && { format }) }
    return { type: 'custom', custom: isObject(inner) ? { ...own, ...inner } : own, ...mark, ...outer }
  }
  if (format && format['type'] === 'grammar') notes.dropped(`${tool.path}.format`, 'told in the description, not enforced')
  return {
    type: 'function',
    function: { name, description: freeformDescription(description, format), parameters: freeformSchema },
    ...mark,
  }
}

/** The choice in this wire's words, and the names it narrows the tools to where it has no words for that. */
export function encodeChoice(encoding: Encoding): { choice?: Json; only?: readonly string[]; legacy?: boolean } {
  const { call, target, names, notes, same } = encoding
  const { toolChoice: wish } = call
  if (!wish) return {}
  const required = target.quirks.toolChoiceRequired ?? 'required'
  const forced = target.capabilities.forcedToolChoice !== false
  const softened = (only?: readonly string[]): { choice: Json; only?: readonly string[] } => {
    notes.dropped(wish.path, 'auto: the model cannot be made to call a tool')
    return { choice: 'auto', ...(only && { only }) }
  }
  if (same && wish.path === 'function_call') return { choice: wish.type === 'named' ? { name: wish.name } : wish.type, legacy: true }
  switch (wish.type) {
    case 'auto':
    case 'none':
      return { choice: wish.type }
    case 'required':
      return forced ? { choice: required } : softened()
    case 'named':
      return forced ? { choice: namedChoice(wish.name, encoding) } : softened([wish.name])
    case 'allowed': {
      if (wish.required && !forced) return softened(wish.names)
      if (same) {
        const tools = wish.names.map((name) => ({ type: 'function', function: { name: names.sent(name) } }))
        return { choice: { type: 'allowed_tools', allowed_tools: { mode: wish.required ? 'required' : 'auto', tools } } }
      }
      const [only, ...others] = wish.names
      if (wish.required && only !== undefined && others.length === 0) return { choice: namedChoice(only, encoding) }
      notes.dropped(wish.path, 'as a shorter list of tools')
      return { choice: wish.required ? required : 'auto', only: wish.names }
    }
    case 'hosted':
      if (same && wish.wire === 'openai-chat') return { choice: wish.value }
      notes.dropped(wish.path, 'a tool of another vendor')
      return {}
    default:
      return wish satisfies never
  }
}

function namedChoice(name: string, { call, names, same }: Encoding): Json {
  const tool = call.tools.find((one) => one.type !== 'hosted' && one.name === name)
  const namespace = tool && tool.type !== 'hosted' ? tool.namespace : undefined
  const sent = names.sent(name, namespace)
  return tool?.type === 'freeform' && same ? { type: 'custom', custom: { name: sent } } : { type: 'function', function: { name: sent } }
}

/** `instruction`: what the model must be told in words, since the format cannot say it. */
export function encodeFormat({ call, target, notes, same }: Encoding): { format?: JsonObject; instruction?: string } {
  const { format } = call
  if (!format) return {}
  switch (format.type) {
    case 'text':
      return same ? { format: { type: 'text' } } : {}
    case 'json':
      return { format: { type: 'json_object' }, ...(!same && !mentionsJson(call) && { instruction: 'Answer with one JSON value.' }) }
    case 'schema': {
      const { schema, name, description, strict } = format
      if (target.quirks.noJsonSchema || target.capabilities.jsonSchema === false) {
        notes.dropped(format.path, 'as JSON, with the schema in the instructions')
        return {
          format: { type: 'json_object' },
          instruction: `Answer with one JSON value that follows this JSON Schema:\n${JSON.stringify(schema)}${description ? `\n${description}` : ''}`,
        }
      }
      const clean = (name ?? '').replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'answer'
      const json_schema = {
        name: clean,
        schema,
        ...(description !== undefined && { description }),
        ...(strict !== undefined && { strict }),
      }
      return { format: { type: 'json_schema', json_schema } }
    }
    default:
      return format satisfies never
  }
}

/** OpenAI refuses the JSON format when no message speaks of JSON. */
const mentionsJson = ({ messages }: Encoding['call']): boolean =>
  messages.some(({ parts }) => parts.some((part) => part.type === 'text' && /json/i.test(part.text)))
