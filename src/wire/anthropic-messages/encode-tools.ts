/** Tools and tool choice under the API's rules. */
import type { ChatCall, HostedTool, Tool, ToolChoice } from '../../core/call.ts'
import { arrayOf, isFilled, isObject, isString, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { freeformDescription, freeformSchema } from '../restore.ts'
import { type NameRules, type ToolNames, toolNames } from '../tool-names.ts'
import { WIRE } from './decode-content.ts'
import { MCP_SERVER } from './decode-tools.ts'
import { type Block, cacheControl, type Mark } from './encode-parts.ts'
import { constrainingSchema, toolSchema } from './schema.ts'

const RULES: NameRules = { legal: /[a-zA-Z0-9_-]/, max: 128 }

export const namesOf = (call: ChatCall): ToolNames => toolNames(call, RULES)

export interface EncodedTools {
  readonly tools: Block[]
  readonly servers: JsonObject[]
  readonly betas: string[]
}

export function encodeTools(call: ChatCall, target: Target, names: ToolNames, notes: Notes, marks: Mark[]): EncodedTools {
  const result: EncodedTools = { tools: [], servers: [], betas: [] }
  const allowed = allowedNames(call.toolChoice)
  const taken = new Set(call.tools.map((tool) => (tool.type === 'hosted' ? '' : names.sent(tool.name, tool.namespace))))
  const used = new Set<string>()
  for (const tool of call.tools) {
    if (tool.type === 'hosted') {
      hosted(tool, call, taken, notes, marks, result)
      continue
    }
    const name = names.sent(tool.name, tool.namespace)
    if (allowed && !allowed.includes(tool.name)) continue
    if (used.has(name)) {
      notes.dropped(tool.path, 'a tool of the same name stands before it')
      continue
    }
    used.add(name)
    const block = functionTool(tool, name, call, target, notes)
    if (tool.cache) {
      block['cache_control'] = { ...cacheControl(tool.cache), ...(isObject(block['cache_control']) && block['cache_control']) }
      marks.push({ block, path: tool.cache.path })
    }
    result.tools.push(block)
  }
  return result
}

const allowedNames = (choice: ToolChoice | undefined): readonly string[] | undefined =>
  choice?.type === 'allowed' ? choice.names : undefined

function functionTool(tool: Exclude<Tool, HostedTool>, name: string, call: ChatCall, target: Target, notes: Notes): Block {
  const extras = notes.extrasOf(tool, call, WIRE)
  const own = call.wire === WIRE ? tool.own : undefined
  if (tool.type === 'freeform') {
    notes.dropped(tool.format ? `${tool.path}.format` : tool.path, 'a freeform tool, as a function')
    const description = freeformDescription(tool.description, tool.format)
    return { name, ...(description && { description }), input_schema: freeformSchema, ...own, ...extras }
  }
  const { schema, lost } = call.wire === WIRE && tool.schema ? { schema: tool.schema, lost: new Set<string>() } : toolSchema(tool.schema)
  for (const keyword of lost) notes.dropped(`${tool.path}.${keyword}`, 'not allowed at the root of a tool schema')
  const strict = strictness(tool.strict, schema, tool.path, call, target, notes)
  return {
    name,
    ...((call.wire === WIRE ? tool.description !== undefined : isFilled(tool.description)) && { description: tool.description }),
    input_schema: strict?.schema ?? schema,
    ...(strict?.flag !== undefined && { strict: strict.flag }),
    ...own,
    ...extras,
  }
}

/** Strict tools take only a part of JSON Schema. A schema that says more is worth more than the strictness. */
function strictness(strict: boolean | undefined, schema: JsonObject, path: string, call: ChatCall, { capabilities }: Target, notes: Notes) {
  if (call.wire === WIRE) return strict === undefined ? undefined : { flag: strict, schema }
  if (!strict) return undefined
  const fitting = capabilities.jsonSchema === false ? undefined : constrainingSchema(schema)
  if (fitting && fitting.lost.size === 0) return { flag: true, schema: fitting.schema }
  notes.dropped(
    `${path}.strict`,
    capabilities.jsonSchema === false ? 'not supported by the target' : 'the schema says more than strict tools can',
  )
  return undefined
}

// ---- tools that a vendor runs --------------------------------------------------------------------------------------

function hosted(tool: HostedTool, call: ChatCall, taken: Set<string>, notes: Notes, marks: Mark[], result: EncodedTools): void {
  if (tool.wire === WIRE) {
    const block: Block = isObject(tool.value) ? { ...tool.value } : {}
    if (tool.kind === MCP_SERVER) result.servers.push(block)
    else result.tools.push(block)
    if (block['cache_control']) marks.push({ block, path: `${tool.path}.cache_control` })
    return
  }
  const value = isObject(tool.value) ? tool.value : {}
  const native = NATIVE[tool.family ?? 'file-search']?.(value)
  if (!native || taken.has(native.name)) {
    notes.dropped(tool.path, `${tool.kind} is not offered by the target`)
    return
  }
  if (call.toolChoice?.type === 'allowed') notes.dropped(call.toolChoice.path, 'as a list of tools')
  taken.add(native.name)
  for (const name of Object.keys(value))
    if (value[name] !== null && !native.read.includes(name))
      notes.dropped(`${tool.path}.${name}`, TOLD_OTHERWISE.has(name) ? 'in the words of the target' : 'not supported by the target')
  result.tools.push({ ...native.tool })
  if (native.server) result.servers.push(native.server)
  if (native.beta) result.betas.push(native.beta)
}

/** Members whose meaning arrives under another name. */
const TOLD_OTHERWISE = new Set(['filters', 'allowed_tools', 'user_location'])

interface Native {
  readonly name: string
  readonly tool: JsonObject
  readonly server?: JsonObject
  readonly beta?: string
  /** Members of the vendor's tool that arrive. */
  readonly read: readonly string[]
}

/** The same kind of tool here, by family. */
const NATIVE: { readonly [Family in NonNullable<HostedTool['family']>]?: (value: JsonObject) => Native | undefined } = {
  'web-search': (value) => {
    // Codex always offers a search that must not go out.
    if (value['external_web_access'] === false) return undefined
    const location = value['user_location']
    const place = isObject(location)
      ? isObject(location['approximate'])
        ? { type: 'approximate', ...location['approximate'] }
        : location
      : undefined
    const domains = isObject(value['filters']) ? value['filters']['allowed_domains'] : undefined
    const tool = {
      type: 'web_search_20250305',
      name: 'web_search',
      ...(Array.isArray(domains) && domains.length > 0 && { allowed_domains: domains.filter(isString) }),
      ...(place && {
        user_location: { type: 'approximate', ...Object.fromEntries(Object.entries(place).filter(([, one]) => isFilled(one))) },
      }),
    }
    const nested = place !== undefined && place !== location
    return { name: 'web_search', tool, read: nested ? ['type'] : ['type', 'user_location'] }
  },
  code: () => ({ name: 'code_execution', tool: { type: 'code_execution_20250825', name: 'code_execution' }, read: ['type'] }),
  url: () => ({ name: 'web_fetch', tool: { type: 'web_fetch_20250910', name: 'web_fetch' }, read: ['type'] }),
  mcp: (value) => {
    const name = [value['server_label'], value['name']].find(isFilled)
    const http = isObject(value['streamableHttpTransport']) ? value['streamableHttpTransport'] : {}
    const url = [value['server_url'], http['url']].find(isFilled)
    if (!name || !url) return undefined
    const token = value['authorization']
    const only = arrayOf(value['allowed_tools']).filter(isString)
    const configs = Object.fromEntries(only.map((one) => [one, { enabled: true }]))
    return {
      name: `mcp:${name}`,
      tool: { type: 'mcp_toolset', mcp_server_name: name, ...(only.length > 0 && { default_config: { enabled: false }, configs }) },
      server: { type: 'url', url, name, ...(isFilled(token) && { authorization_token: token }) },
      beta: 'mcp-client-2025-11-20',
      read: ['type', 'server_label', 'server_url', 'name', 'authorization'],
    }
  },
}

// ---- choice ------------------------------------------------------------------------------------------------------

export interface Choice {
  readonly choice?: JsonObject
  /** The only tool to keep, when a forced choice had to be given up. */
  readonly only?: string
}

/** `forced`: the model takes a forced choice; false for some models, and while they think by a budget. */
export function encodeChoice(call: ChatCall, tools: readonly Block[], forced: boolean, names: ToolNames, notes: Notes): Choice {
  const { toolChoice: wish } = call
  if (!wish) return {}
  if (tools.length === 0) {
    if (wish.type !== 'auto' && wish.type !== 'none') notes.dropped(wish.path, 'there are no tools')
    return {}
  }
  const exists = (name: string): boolean => tools.some((tool) => tool['name'] === name)
  const force = (name: string | undefined): Choice => {
    if (forced) return { choice: name === undefined ? { type: 'any' } : { type: 'tool', name } }
    notes.dropped(wish.path, 'a forced choice is not supported by the target')
    return { choice: { type: 'auto' }, only: name }
  }
  switch (wish.type) {
    case 'auto':
    case 'none':
      return { choice: { type: wish.type } }
    case 'required':
      return force(undefined)
    case 'named': {
      const tool = call.tools.find((one) => one.type !== 'hosted' && one.name === wish.name)
      if (tool && tool.type !== 'hosted') return force(names.sent(tool.name, tool.namespace))
      if (exists(wish.name)) return force(wish.name)
      notes.dropped(wish.path, 'names a tool that is not there')
      return {}
    }
    case 'allowed':
      notes.dropped(wish.path, 'as a list of tools')
      if (!wish.required) return { choice: { type: 'auto' } }
      return force(tools.length === 1 && isString(tools[0]?.['name']) ? tools[0]['name'] : undefined)
    case 'hosted': {
      notes.dropped(wish.path, 'a choice of another vendor')
      const type = isObject(wish.value) && isString(wish.value['type']) ? wish.value['type'] : ''
      const name = /web_search/.test(type) ? 'web_search' : /code_interpreter/.test(type) ? 'code_execution' : undefined
      return name && exists(name) ? force(name) : {}
    }
    default:
      return wish satisfies never
  }
}
