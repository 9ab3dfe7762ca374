/** Tools, the choice among them, and the answer's format. */
import type { Format, FunctionTool, HostedTool, Tool, ToolChoice } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { cacheMark, markKey } from './decode-part.ts'
import { asObject, flagAt, listAt, names, objectAt, restOf, textAt } from './read.ts'

const OUTER = names('type function name')
const INNER = names('type name description parameters input_schema strict')

export function toolOf(value: Json, path: string): Tool {
  const tool = asObject(value, path)
  const type = textAt(tool, 'type', path)
  const custom = type === 'custom' ? objectAt(tool, 'custom', path) : undefined
  if (custom) return freeformTool(tool, custom, path)
  const definition = objectAt(tool, 'function', path)
  if (definition) return functionTool(definition, at(path, 'function'), tool, path)
  // Flat, as Responses and Anthropic write them.
  if (type === 'custom' && !isObject(tool['input_schema'])) return freeformTool(tool, tool, path)
  if (type === undefined || type === 'function' || type === 'custom') return functionTool(tool, path, undefined, path)
  return { type: 'hosted', wire: 'openai-chat', kind: type, ...familyOf(type), path, value: tool }
}

const familyOf = (type: string): { family?: 'web-search' } => (/web_search/.test(type) ? { family: 'web-search' } : {})

export function functionTool(definition: JsonObject, place: string, outer: JsonObject | undefined, path: string): FunctionTool {
  const name = textAt(definition, 'name', place)
  if (name === undefined) throw invalid(`${at(place, 'name')} is missing.`, at(place, 'name'))
  const description = textAt(definition, 'description', place)
  const schema = objectAt(definition, 'parameters', place) ?? objectAt(definition, 'input_schema', place)
  const strict = flagAt(definition, 'strict', place)
  const cache = (outer && cacheMark(outer, path)) ?? cacheMark(definition, place)
  const inner = restOf(definition, INNER, markKey(cache))
  const extras = outer ? withInner(restOf(outer, OUTER, markKey(cache)), inner) : inner
  return {
    type: 'function',
    path,
    name,
    ...(description !== undefined && { description }),
    ...(schema && { schema }),
    ...(strict !== undefined && { strict }),
    ...(cache && { cache }),
    ...(extras && { extras }),
  }
}

const withInner = (outer: JsonObject | undefined, inner: JsonObject | undefined): JsonObject | undefined =>
  inner ? { ...outer, function: inner } : outer

function freeformTool(tool: JsonObject, custom: JsonObject, path: string): Tool {
  const place = custom === tool ? path : at(path, 'custom')
  const name = textAt(custom, 'name', place)
  if (name === undefined) throw invalid(`${at(place, 'name')} is missing.`, at(place, 'name'))
  const description = textAt(custom, 'description', place)
  const format = objectAt(custom, 'format', place)
  const cache = cacheMark(tool, path)
  const outer = restOf(tool, names(`type custom${custom === tool ? ' name description format' : ''}`), markKey(cache))
  const inner = custom === tool ? undefined : restOf(custom, names('name description format'))
  const extras = inner ? { ...outer, custom: inner } : outer
  return {
    type: 'freeform',
    path,
    name,
    ...(description !== undefined && { description }),
    ...(format && { format }),
    ...(cache && { cache }),
    ...(extras && { extras }),
  }
}

/** The search that some models do by themselves, which Chat switches on beside its tools. */
export const webSearchTool = (value: Json): HostedTool => ({
  type: 'hosted',
  wire: 'openai-chat',
  kind: 'web_search_options',
  family: 'web-search',
  path: 'web_search_options',
  value,
})

const MODES: Readonly<Record<string, 'auto' | 'none' | 'required'>> = { auto: 'auto', none: 'none', required: 'required', any: 'required' }

/** Undefined for words that say nothing to anyone but their own host. */
export function toolChoiceOf(value: Json | undefined, path: string): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined
  if (isString(value)) {
    const mode = Object.hasOwn(MODES, value) ? MODES[value] : undefined
    return mode ? { type: mode, path } : undefined
  }
  const choice = asObject(value, path)
  if (choice['type'] === 'allowed_tools') return allowedTools(objectAt(choice, 'allowed_tools', path) ?? choice, path)
  const name = nameIn(choice)
  if (name !== undefined) return { type: 'named', name, path }
  const type = textAt(choice, 'type', path) ?? ''
  const mode = Object.hasOwn(MODES, type) ? MODES[type] : undefined
  return mode ? { type: mode, path } : { type: 'hosted', wire: 'openai-chat', value: choice, path }
}

const nameIn = (value: Json | undefined): string | undefined => {
  if (!isObject(value)) return undefined
  const inner = [value['function'], value['custom'], value].find((one): one is JsonObject => isObject(one) && isString(one['name']))
  const name = inner?.['name']
  return isString(name) ? name : undefined
}

function allowedTools(given: JsonObject, path: string): ToolChoice {
  const tools = listAt(given, 'tools', path) ?? []
  const allowed = tools.map(nameIn).filter((name) => name !== undefined)
  return { type: 'allowed', names: allowed, required: given['mode'] === 'required', path }
}

/** Undefined for a format that only its own host knows. */
export function formatOf(value: JsonObject, path: string): Format | undefined {
  switch (value['type']) {
    case 'text':
      return { type: 'text', path }
    case 'json_object': {
      const schema = objectAt(value, 'schema', path)
      return schema ? { type: 'schema', schema, path } : { type: 'json', path }
    }
    case 'json_schema': {
      const place = at(path, 'json_schema')
      const given = objectAt(value, 'json_schema', path)
      if (!given) return undefined
      const [name, description, strict] = [
        textAt(given, 'name', place),
        textAt(given, 'description', place),
        flagAt(given, 'strict', place),
      ]
      return {
        type: 'schema',
        path,
        schema: objectAt(given, 'schema', place) ?? {},
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(strict !== undefined && { strict }),
      }
    }
    default:
      return undefined
  }
}
