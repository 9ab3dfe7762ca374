/** Tools, tool choice and output format, for a provider. */
import type { ChatCall, FreeformTool, FunctionTool, HostedTool, Tool } from '../../core/call.ts'
import { at, compact, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import type { Names } from './names.ts'
import { nestedExtras } from './nested.ts'
import { isStrictReady, parametersOf } from './schema.ts'

export interface EncodedTools {
  /** For the `tools` member. */
  readonly tools: readonly JsonObject[]
  /** Tools that came in the middle of the conversation, by their item's path. */
  readonly additional: ReadonlyMap<string, JsonObject>
}

/** The item of this wire that brought a tool along; undefined for tools of the body. */
const itemOf = (path: string): string | undefined => /^(input(?:\[\d+\])?)\.tools/.exec(path)?.[1]
const groupOf = (path: string): string => path.replace(/\.tools(?:\[\d+\])?$/, '')

export function encodeTools(call: ChatCall, target: Target, names: Names, notes: Notes): EncodedTools {
  const own = call.wire === 'openai-responses'
  if (target.capabilities.tools === false && !own) {
    for (const tool of call.tools) notes.dropped(tool.path, 'the model takes no tools')
    return { tools: [], additional: new Map() }
  }
  const tools: JsonObject[] = []
  const additional = new Map<string, { readonly item: JsonObject; readonly tools: JsonObject[] }>()
  const namespaces = new Map<string, JsonObject[]>()
  for (const tool of call.tools) {
    const encoded = encodeTool(tool, call, names, notes)
    if (!encoded) continue
    let list = tools
    const place = own ? itemOf(tool.path) : undefined
    if (place !== undefined) {
      const holder = additional.get(place) ?? {
        item: { type: 'additional_tools', ...nestedExtras(call.own, place), ...nestedExtras(call.extras, place) },
        tools: [],
      }
      additional.set(place, holder)
      list = holder.tools
    }
    const namespace = tool.type === 'hosted' ? undefined : tool.namespace
    if (namespace === undefined) list.push(encoded)
    else {
      const group = `${groupOf(tool.path)} ${namespace}`
      const members = namespaces.get(group)
      if (members) members.push(encoded)
      else {
        const first = [encoded]
        namespaces.set(group, first)
        list.push({ type: 'namespace', name: namespace, ...nestedExtras(call.extras, groupOf(tool.path)), tools: first })
      }
    }
  }
  return { tools, additional: new Map([...additional].map(([path, { item, tools: list }]) => [path, { ...item, tools: list }])) }
}

function encodeTool(tool: Tool, call: ChatCall, names: Names, notes: Notes): JsonObject | undefined {
  switch (tool.type) {
    case 'function':
      return functionTool(tool, call, names, notes)
    case 'freeform':
      return freeformTool(tool, call, names, notes)
    case 'hosted':
      return hostedTool(tool, notes)
    default:
      return tool satisfies never
  }
}

function functionTool(tool: FunctionTool, call: ChatCall, names: Names, notes: Notes): JsonObject {
  const own = call.wire === 'openai-responses'
  if (tool.cache) notes.dropped(tool.cache.path, 'tools are cached with what follows them')
  const extras = notes.extrasOf(tool, call, 'openai-responses')
  let strict = tool.strict
  if (!own) {
    // Left out, Responses makes a tool strict where it can; nobody else does.
    strict ??= false
    if (strict && !isStrictReady(parametersOf(tool.schema))) {
      strict = false
      notes.dropped(at(tool.path, 'strict'), 'the schema is not fit for strict mode here')
    }
  }
  return compact({
    type: 'function',
    name: names.sent(tool.name, tool.namespace),
    description: tool.description,
    parameters: own ? tool.schema : parametersOf(tool.schema),
    strict,
    ...extras,
  })
}

function freeformTool(tool: FreeformTool, call: ChatCall, names: Names, notes: Notes): JsonObject {
  if (tool.cache) notes.dropped(tool.cache.path, 'tools are cached with what follows them')
  const extras = notes.extrasOf(tool, call, 'openai-responses')
  return compact({
    type: 'custom',
    name: names.sent(tool.name, tool.namespace),
    description: tool.description,
    format: flatFormat(tool.format),
    ...extras,
  })
}

/** Chat nests the grammar: `{ type: 'grammar', grammar: { syntax, definition } }`. */
function flatFormat(format: JsonObject | undefined): JsonObject | undefined {
  if (!isObject(format?.['grammar'])) return format
  const { grammar, ...rest } = format
  return { ...rest, ...grammar }
}

/** A tool that the vendor runs, by what this wire calls it. Members that have no place here are named. */
function hostedTool(tool: HostedTool, notes: Notes): JsonObject | undefined {
  if (tool.wire === 'openai-responses') return isObject(tool.value) ? tool.value : undefined
  const members = isObject(tool.value) ? tool.value : {}
  const used = new Set(['type', 'name', 'cache_control'])
  const take = (...keys: string[]): Json | undefined => {
    for (const key of keys) used.add(key)
    return keys.map((key) => members[key]).find((value) => value !== undefined && value !== null)
  }
  const encoded = mapped(tool, members, take)
  if (!encoded) {
    notes.dropped(tool.path, `${tool.kind} runs at its own vendor only`)
    return undefined
  }
  for (const [key, value] of Object.entries(members))
    if (!used.has(key) && value !== undefined && value !== null) notes.dropped(at(tool.path, key), 'not said so in this tool')
  if (isObject(members['cache_control'])) notes.dropped(at(tool.path, 'cache_control'), 'tools are cached with what follows them')
  return encoded
}

function mapped(tool: HostedTool, members: JsonObject, take: (...keys: string[]) => Json | undefined): JsonObject | undefined {
  switch (tool.family) {
    case 'web-search': {
      const domains = take('allowed_domains')
      const place = members['user_location']
      // Chat wraps the place: `{ type: 'approximate', approximate: { city, … } }`, which is named as said by other means.
      const wrapped = isObject(place) && isObject(place['approximate']) ? place['approximate'] : undefined
      const near = wrapped ? { type: 'approximate', ...wrapped } : take('user_location')
      return compact({
        type: 'web_search',
        search_context_size: take('search_context_size'),
        user_location: near,
        filters: Array.isArray(domains) && domains.length > 0 ? { allowed_domains: domains } : undefined,
      })
    }
    case 'code':
      return { type: 'code_interpreter', container: { type: 'auto' } }
    case 'mcp': {
      const url = take('url', 'server_url')
      const label = tool.name ?? take('name', 'mcp_server_name', 'server_label')
      if (!isFilled(url)) return undefined
      // Named as done by other means.
      const configuration = members['tool_configuration']
      return compact({
        type: 'mcp',
        server_label: isFilled(label) ? label : 'server',
        server_url: url,
        authorization: take('authorization_token'),
        allowed_tools: isObject(configuration) ? configuration['allowed_tools'] : undefined,
        require_approval: 'never',
      })
    }
    default:
      return undefined
  }
}

export function encodeToolChoice(
  call: ChatCall,
  tools: readonly JsonObject[],
  target: Target,
  names: Names,
  notes: Notes,
): Json | undefined {
  const choice = call.toolChoice
  if (!choice) return undefined
  if (tools.length === 0 && call.wire !== 'openai-responses') {
    if (call.tools.length > 0 && choice.type !== 'auto' && choice.type !== 'none') notes.dropped(choice.path, 'no tool is left to choose')
    return undefined
  }
  const forced = choice.type === 'required' || choice.type === 'named' || (choice.type === 'allowed' && choice.required)
  if (forced && target.capabilities.forcedToolChoice === false) {
    notes.dropped(choice.path, 'the model takes no forced choice')
    return 'auto'
  }
  const kept = (path: string): JsonObject => (call.wire === 'openai-responses' ? nestedExtras(call.extras, path) : {})
  const one = (name: string): JsonObject => {
    const hosted = call.tools.find((tool) => tool.type === 'hosted' && tool.wire !== 'openai-responses' && tool.name === name)
    const kind = hosted && tools.find((tool) => tool['type'] === hostedKind(hosted))?.['type']
    if (kind !== undefined) return { type: kind }
    return { type: names.isFreeform(name) ? 'custom' : 'function', name: names.sent(name) }
  }
  switch (choice.type) {
    case 'auto':
    case 'none':
    case 'required':
      return choice.type
    case 'named':
      return { ...one(choice.name), ...kept('tool_choice') }
    case 'allowed':
      return {
        type: 'allowed_tools',
        mode: choice.required ? 'required' : 'auto',
        tools: choice.names.map((name, index) => ({ ...one(name), ...kept(`tool_choice.tools[${index}]`) })),
        ...kept('tool_choice'),
      }
    case 'hosted': {
      if (choice.wire === 'openai-responses') return choice.value
      notes.dropped(choice.path, "the choice is of a vendor's own tool")
      return undefined
    }
    default:
      return choice satisfies never
  }
}

const hostedKind = (tool: Tool): string | undefined =>
  tool.type === 'hosted'
    ? { 'web-search': 'web_search', code: 'code_interpreter', mcp: 'mcp', url: undefined, 'file-search': undefined }[tool.family ?? 'url']
    : undefined
