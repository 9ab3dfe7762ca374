/** Tools, tool choice and output format. */
import type { Format, HostedTool, Tool, ToolChoice } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { asObject, booleanAt, listAt, objectAt, others, stringAt } from './read.ts'

/** Members deep in the body that no node of the call stands for, by their path from the body. */
export interface Nest {
  keep(path: string, members: JsonObject): void
  /** The same for bookkeeping, which is no loss elsewhere. */
  own(path: string, members: JsonObject): void
}

const FUNCTION = new Set(['type', 'name', 'description', 'parameters', 'strict', 'function'])
const CUSTOM = new Set(['type', 'name', 'description', 'format'])
const NAMESPACE = new Set(['type', 'name', 'tools'])

const FAMILIES: Readonly<Record<string, HostedTool['family']>> = {
  web_search: 'web-search',
  web_search_2025_08_26: 'web-search',
  web_search_preview: 'web-search',
  web_search_preview_2025_03_11: 'web-search',
  code_interpreter: 'code',
  mcp: 'mcp',
  file_search: 'file-search',
}

export const decodeTools = (holder: JsonObject, key: string, path: string, nest: Nest, namespace?: string): readonly Tool[] =>
  listAt(holder, key, path).flatMap((entry) => decodeTool(asObject(entry.value, entry.path), entry.path, nest, namespace))

function decodeTool(tool: JsonObject, path: string, nest: Nest, namespace: string | undefined): readonly Tool[] {
  const type = stringAt(tool, 'type', path)
  switch (type) {
    case 'function':
    case undefined: {
      // Some clients nest the definition, as Chat does.
      const nested = objectAt(tool, 'function', path)
      const inside = nested ? at(path, 'function') : path
      const from = nested ?? tool
      const extras = { ...others(tool, FUNCTION), ...(nested && others(nested, FUNCTION)) }
      return [
        {
          type: 'function',
          path,
          name: nameOf(from, inside),
          namespace,
          description: stringAt(from, 'description', inside),
          schema: objectAt(from, 'parameters', inside),
          strict: booleanAt(from, 'strict', inside),
          ...(Object.keys(extras).length > 0 && { extras }),
        },
      ]
    }
    case 'custom':
      return [
        {
          type: 'freeform',
          path,
          name: nameOf(tool, path),
          namespace,
          description: stringAt(tool, 'description', path),
          format: objectAt(tool, 'format', path),
          extras: others(tool, CUSTOM),
        },
      ]
    case 'namespace': {
      nest.keep(path, others(tool, NAMESPACE) ?? {})
      return decodeTools(tool, 'tools', path, nest, nameOf(tool, path))
    }
    default:
      return [
        {
          type: 'hosted',
          path,
          wire: 'openai-responses',
          kind: type,
          ...(Object.hasOwn(FAMILIES, type) && { family: FAMILIES[type] }),
          value: tool,
        },
      ]
  }
}

function nameOf(tool: JsonObject, path: string): string {
  const name = stringAt(tool, 'name', path)
  if (!name) throw invalid(`${at(path, 'name')} is missing.`, at(path, 'name'))
  return name
}

const NAMED = new Set(['type', 'name', 'function'])
const ALLOWED = new Set(['type', 'mode', 'tools'])

export function decodeToolChoice(value: Json | undefined, path: string, nest: Nest): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value, path }
  if (!isObject(value)) throw invalid(`${path} must be auto, none, required or an object.`, path)
  const type = stringAt(value, 'type', path)
  if (type === 'function' || type === 'custom') {
    const nested = objectAt(value, 'function', path)
    nest.keep(path, others(value, NAMED) ?? {})
    return { type: 'named', name: nameOf(nested ?? value, path), path }
  }
  if (type === 'allowed_tools') {
    const entries = listAt(value, 'tools', path)
    const tools = entries.map((entry) => asObject(entry.value, entry.path))
    const names = tools.map((tool) => tool['name']).filter(isFilled)
    const plain = tools.every((tool) => isFilled(tool['name']) && (tool['type'] === 'function' || tool['type'] === 'custom'))
    if (plain) {
      nest.keep(path, others(value, ALLOWED) ?? {})
      for (const [index, tool] of tools.entries()) nest.keep(entries[index]?.path ?? path, others(tool, NAMED) ?? {})
      return { type: 'allowed', names, required: value['mode'] === 'required', path }
    }
  }
  return { type: 'hosted', wire: 'openai-responses', value, path }
}

const FORMAT = new Set(['type', 'schema', 'name', 'description', 'strict'])

export function decodeFormat(text: JsonObject, nest: Nest): Format | undefined {
  const path = 'text.format'
  const format = objectAt(text, 'format', 'text')
  if (!format) return undefined
  const type = stringAt(format, 'type', path)
  nest.keep(path, others(format, FORMAT) ?? {})
  if (type === 'text' || type === undefined) return { type: 'text', path }
  if (type === 'json_object') return { type: 'json', path }
  if (type !== 'json_schema') throw invalid('text.format.type must be text, json_object or json_schema.', 'text.format.type')
  return {
    type: 'schema',
    path,
    schema: objectAt(format, 'schema', path) ?? {},
    name: stringAt(format, 'name', path),
    description: stringAt(format, 'description', path),
    strict: booleanAt(format, 'strict', path),
  }
}
