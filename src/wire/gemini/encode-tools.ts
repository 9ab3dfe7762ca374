/** Tools and their choice for Gemini. */
import type { FreeformTool, FunctionTool, HostedTool, ToolChoice } from '../../core/call.ts'
import { at, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { freeformDescription, freeformSchema } from '../restore.ts'
import type { NameRules } from '../tool-names.ts'
import type { EncodeContext } from './encode-turns.ts'
import { googleSchemaOf } from './schema.ts'

export const nameRules: NameRules = { legal: /^[a-zA-Z0-9_.:-]$/, max: 128, first: /^[a-zA-Z_]$/ }

export interface EncodedTools {
  readonly tools: JsonObject[]
  /** Names of the declared functions, as sent. */
  readonly functions: readonly string[]
  /** The vendor's tools stand beside functions: Google wants to hear that this is meant. */
  readonly mixed: boolean
}

export function toolsOf(context: EncodeContext): EncodedTools {
  const { call, notes, own, names, target } = context
  const declarations: JsonObject[] = []
  const functions: string[] = []
  const hosted: JsonObject[] = []
  if (target.capabilities.tools === false && call.tools.length > 0 && !own) {
    for (const tool of call.tools) notes.dropped(tool.path, 'the model takes no tools')
    return { tools: [], functions, mixed: false }
  }
  const custom = call.tools.filter((tool) => tool.type !== 'hosted')
  for (const tool of custom) {
    const name = names.sent(tool.name, tool.namespace)
    const declaration = declarationOf(tool, name, context)
    if (functions.includes(name)) notes.dropped(tool.path, 'a second tool of this name')
    else {
      functions.push(name)
      declarations.push(declaration)
    }
  }
  for (const tool of call.tools) {
    if (tool.type !== 'hosted') continue
    notes.extrasOf(tool, call, 'gemini')
    if (tool.wire === 'gemini') hosted.push({ [tool.kind]: tool.value })
    else if (functions.length > 0 && target.capabilities.needsThoughtSignature !== true)
      notes.dropped(tool.path, `${tool.kind} not together with functions`)
    else hosted.push(...mapped(tool, context))
  }
  return {
    tools: [...(declarations.length > 0 ? [{ functionDeclarations: declarations }] : []), ...hosted],
    functions,
    mixed: !own && declarations.length > 0 && hosted.length > 0,
  }
}

function declarationOf(tool: FunctionTool | FreeformTool, name: string, { call, notes, own }: EncodeContext): JsonObject {
  const extras = notes.extrasOf(tool, call, 'gemini')
  if (tool.cache) notes.dropped(tool.cache.path, 'Gemini caches prompts by itself')
  if (tool.type === 'freeform') {
    if (tool.format && tool.format['type'] !== 'text') notes.dropped(at(tool.path, 'format'), 'the grammar is in the description')
    const description = freeformDescription(tool.description, tool.format)
    return { name, ...(description && { description }), parametersJsonSchema: freeformSchema }
  }
  if (tool.strict === true) notes.dropped(at(tool.path, 'strict'), 'not supported by the target')
  return {
    name,
    ...(tool.description !== undefined && { description: tool.description }),
    ...(own && tool.own ? tool.own : tool.schema && { parametersJsonSchema: googleSchemaOf(tool.schema) }),
    ...extras,
  }
}

/** Another vendor's tool as Google's of the same kind; what it was told besides is named as dropped. */
function mapped({ kind, family, path, value }: HostedTool, { notes }: EncodeContext): JsonObject[] {
  const settings = isObject(value) ? value : {}
  const rest = (taken: readonly string[]): void => {
    for (const [key, setting] of Object.entries(settings))
      if (!taken.includes(key) && setting !== null && setting !== undefined) notes.dropped(at(path, key), 'not supported by the target')
  }
  const plain = ['type', 'name', 'cache_control']
  if (settings['cache_control']) notes.dropped(at(path, 'cache_control'), 'Gemini caches prompts by itself')
  // A search that may not leave the vendor's own store is no search of the web.
  const offline = settings['external_web_access'] === false
  switch (offline ? undefined : family) {
    case 'web-search':
      rest(plain)
      return [{ googleSearch: {} }]
    case 'code':
      rest(plain)
      return [{ codeExecution: {} }]
    case 'url':
      rest(plain)
      return [{ urlContext: {} }]
    case 'mcp': {
      const url = settings['server_url'] ?? settings['url']
      if (!isFilled(url)) break
      rest(['type', 'name', 'url', 'server_url', 'server_label', 'headers', 'authorization', 'authorization_token'])
      const token = settings['authorization'] ?? settings['authorization_token']
      const given: [string, Json | undefined][] = isObject(settings['headers']) ? Object.entries(settings['headers']) : []
      const headers = Object.fromEntries([...given, ...(isFilled(token) ? [['authorization', `Bearer ${token}`] as const] : [])])
      const name = settings['server_label'] ?? settings['name']
      const transport = { url, ...(Object.keys(headers).length > 0 && { headers }) }
      return [{ mcpServers: [{ ...(isFilled(name) && { name }), streamableHttpTransport: transport }] }]
    }
  }
  notes.dropped(path, `${kind} is run by another vendor`)
  return []
}

/** `functionCallingConfig`; undefined where the default says the same. */
export function callingConfig(choice: ToolChoice | undefined, { functions }: EncodedTools, context: EncodeContext): JsonObject | undefined {
  if (!choice) return undefined
  const { notes, names, own, target, call } = context
  const nobody = functions.length === 0
  const forced = choice.type === 'required' || choice.type === 'named' || (choice.type === 'allowed' && choice.required)
  if (forced && !nobody && !own && target.capabilities.forcedToolChoice === false) {
    notes.dropped(choice.path, 'the model cannot be forced to call a tool')
    return undefined
  }
  const known = (list: readonly string[]): string[] =>
    list.map((name) => sentName(name, context)).filter((name) => functions.includes(name))
  switch (choice.type) {
    case 'auto':
      return own ? { mode: 'AUTO' } : undefined
    case 'none':
      return call.tools.length > 0 || own ? { mode: 'NONE' } : undefined
    case 'required':
      if (!nobody || own) return { mode: 'ANY' }
      break
    case 'named':
    case 'allowed': {
      const wanted = choice.type === 'named' ? [choice.name] : choice.names
      const list = own ? wanted.map((name) => names.sent(name)) : known(wanted)
      if (list.length === 0) break
      return { mode: choice.type === 'named' || choice.required ? 'ANY' : 'VALIDATED', allowedFunctionNames: list }
    }
    case 'hosted':
      break
    default:
      choice satisfies never
  }
  notes.dropped(choice.path, 'no such function')
  return undefined
}

/** A choice names a tool without its namespace. */
function sentName(name: string, { call, names }: EncodeContext): string {
  const tool = call.tools.find((one) => one.type !== 'hosted' && (one.name === name || `${one.namespace}.${one.name}` === name))
  return tool && tool.type !== 'hosted' ? names.sent(tool.name, tool.namespace) : name
}
