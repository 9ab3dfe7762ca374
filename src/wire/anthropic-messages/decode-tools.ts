/** Tools, tool choice, thinking and format of a client's body. */
import type { Effort, Format, HostedTool, ReasoningWish, Tool, ToolChoice } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, compact, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { WIRE } from './decode-content.ts'
import {
  booleanAt,
  cacheOf,
  integerAt,
  isAbsent,
  joined,
  listAt,
  objectAt,
  requiredObject,
  requiredString,
  stringAt,
  unread,
} from './read.ts'

const FAMILIES: readonly (readonly [RegExp, NonNullable<HostedTool['family']>])[] = [
  [/^web_search/, 'web-search'],
  [/^web_fetch/, 'url'],
  [/^code_execution/, 'code'],
  [/^mcp_toolset/, 'mcp'],
]

/** The kind under which a server of the body's `mcp_servers` is kept. */
export const MCP_SERVER = 'mcp_servers'

export function decodeTools(body: JsonObject): readonly Tool[] {
  const tools = (listAt(body['tools'], 'tools') ?? []).map((tool, index) => decodeTool(tool, at('tools', index)))
  const servers = (listAt(body['mcp_servers'], 'mcp_servers') ?? []).map((server, index): Tool => {
    const path = at('mcp_servers', index)
    return { type: 'hosted', wire: WIRE, kind: MCP_SERVER, family: 'mcp', value: requiredObject(server, path), path }
  })
  return [...tools, ...servers]
}

function decodeTool(item: Json, path: string): Tool {
  const tool = requiredObject(item, path)
  const type = stringAt(tool['type'], at(path, 'type'))
  if (type === undefined || type === 'custom') {
    const { cache, more } = cacheOf(tool, path)
    return compact({
      type: 'function',
      name: requiredString(tool['name'], at(path, 'name')),
      description: stringAt(tool['description'], at(path, 'description')),
      schema: objectAt(tool['input_schema'], at(path, 'input_schema')),
      strict: booleanAt(tool['strict'], at(path, 'strict')),
      path,
      cache,
      own: type === undefined ? undefined : { type },
      extras: joined(unread(tool, 'type', 'name', 'description', 'input_schema', 'strict', 'cache_control'), more),
    })
  }
  const family = FAMILIES.find(([pattern]) => pattern.test(type))?.[1]
  return compact({ type: 'hosted', wire: WIRE, kind: type, family, name: stringAt(tool['name'], at(path, 'name')), value: tool, path })
}

/** The choice, the parallel switch that stands inside it, and what else it says. */
export function decodeToolChoice(value: Json | undefined): { choice?: ToolChoice; parallel?: boolean; more?: JsonObject } {
  const path = 'tool_choice'
  const wish = objectAt(value, path)
  if (!wish) return {}
  const off = booleanAt(wish['disable_parallel_tool_use'], at(path, 'disable_parallel_tool_use'))
  return {
    choice: choiceOf(wish, path),
    parallel: off === undefined ? undefined : !off,
    more: unread(wish, 'type', 'name', 'disable_parallel_tool_use'),
  }
}

function choiceOf(wish: JsonObject, path: string): ToolChoice {
  switch (wish['type']) {
    case 'auto':
    case 'none':
      return { type: wish['type'], path }
    case 'any':
      return { type: 'required', path }
    case 'tool':
      return { type: 'named', name: requiredString(wish['name'], at(path, 'name')), path }
    default:
      throw invalid("Input should be one of 'auto', 'any', 'tool', 'none'", at(path, 'type'))
  }
}

const EFFORTS: ReadonlySet<string> = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])

/** `thinking`, and the effort that stands in `output_config`. */
export function decodeReasoning(body: JsonObject): ReasoningWish | undefined {
  const thinking = objectAt(body['thinking'], 'thinking')
  const effort = effortOf(objectAt(body['output_config'], 'output_config'))
  if (!thinking) return effort && { path: 'output_config.effort', effort }
  const mode = requiredString(thinking['type'], 'thinking.type')
  const display = stringAt(thinking['display'], 'thinking.display')
  const known = display === undefined || display === 'summarized' || display === 'omitted'
  return compact({
    path: 'thinking',
    on: mode !== 'disabled',
    mode,
    effort,
    budget: integerAt(thinking['budget_tokens'], 'thinking.budget_tokens', 0),
    visible: display === undefined ? undefined : display !== 'omitted',
    extras: unread(thinking, 'type', 'budget_tokens', ...(known ? ['display'] : [])),
  })
}

function effortOf(config: JsonObject | undefined): Effort | undefined {
  const effort = stringAt(config?.['effort'], 'output_config.effort')
  return effort !== undefined && EFFORTS.has(effort) ? (effort as Effort) : undefined
}

/** The format, and what of `output_config` nobody read: `{ output_config: … }`. */
export function decodeFormat(body: JsonObject): { format?: Format; more?: JsonObject } {
  const config = objectAt(body['output_config'], 'output_config')
  const older = isAbsent(body['output_format']) ? undefined : schemaFormat(body['output_format'], 'output_format')
  if (!config) {
    const value = body['output_format']
    const more = older && isObject(value) ? unread(value, 'type', 'schema') : isAbsent(value) ? undefined : value
    return { format: older, more: more === undefined ? undefined : { output_format: more } }
  }
  const format = isAbsent(config['format']) ? undefined : schemaFormat(config['format'], 'output_config.format')
  const read = [...(format ? ['format'] : []), ...(effortOf(config) ? ['effort'] : [])]
  const beside = format && isObject(config['format']) ? unread(config['format'], 'type', 'schema') : undefined
  const rest = joined(unread(config, ...read), beside && { format: beside })
  return { format: format ?? older, more: rest && { output_config: rest } }
}

function schemaFormat(value: Json | undefined, path: string): Format | undefined {
  if (!isObject(value)) throw invalid('Input should be an object', path)
  if (value['type'] !== 'json_schema') return undefined
  const { schema } = value
  // Older SDKs put name and strictness beside the schema; they say nothing to this wire.
  return compact({
    type: 'schema',
    path,
    schema: requiredObject(schema, at(path, 'schema')),
    name: typeof value['name'] === 'string' ? value['name'] : undefined,
    strict: typeof value['strict'] === 'boolean' ? value['strict'] : undefined,
  } satisfies Format)
}
