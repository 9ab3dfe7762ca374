/** A call as a generateContent request. */
import type { ChatCall } from '../../core/call.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { refuseStored } from '../stored.ts'
import { toolNames } from '../tool-names.ts'
import type { EncodedCall } from '../wire.ts'
import { configOf, FORMAT_TOOL } from './encode-config.ts'
import { callingConfig, nameRules, toolsOf } from './encode-tools.ts'
import { conversationOf, type EncodeContext } from './encode-turns.ts'
import { thinkingConfig } from './thinking.ts'

export function encodeCall(call: ChatCall, target: Target, notes: Notes): EncodedCall {
  refuseStored(call, 'gemini')
  const own = call.wire === 'gemini'
  const names = toolNames(call, own ? { legal: /^[\s\S]$/, max: Number.POSITIVE_INFINITY } : nameRules)
  const context: EncodeContext = { call, target, notes, names, own }
  const conversation = conversationOf(context)
  const encoded = toolsOf(context)
  const { generation, beside, formatTool, instruction } = configOf(context, encoded)
  const thinking = thinkingConfig(context)
  const calling = formatTool ? { mode: 'ANY' } : callingConfig(call.toolChoice, encoded, context)
  const toolConfig = {
    ...(calling && { functionCallingConfig: calling }),
    ...(encoded.mixed && { includeServerSideToolInvocations: true }),
  }
  const generationConfig = { ...generation, ...(thinking && { thinkingConfig: thinking }) }
  const tools = formatTool ? withDeclaration(encoded.tools, formatTool) : encoded.tools
  const { systemInstruction } = conversation
  const system = instruction ? { parts: [...partsOf(systemInstruction), { text: instruction }] } : systemInstruction
  const body: JsonObject = {
    contents: conversation.contents,
    ...(system && { systemInstruction: system }),
    ...(tools.length > 0 && { tools }),
    ...(Object.keys(toolConfig).length > 0 && { toolConfig }),
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
    ...beside,
  }
  const extras = notes.extrasOf(call, call, 'gemini')
  const changed = !own && names.changed
  return {
    body: extras ? withExtras(body, extras) : body,
    ...((changed || formatTool) && {
      restore: { ...(changed && { tools: names.received }), ...(formatTool && { formatTool: FORMAT_TOOL }) },
    }),
  }
}

const partsOf = (instruction: JsonObject | undefined): readonly Json[] =>
  Array.isArray(instruction?.['parts']) ? instruction['parts'] : []

function withDeclaration(tools: readonly JsonObject[], declaration: JsonObject): JsonObject[] {
  const [first, ...others] = tools
  const list = first?.['functionDeclarations']
  return Array.isArray(list)
    ? [{ functionDeclarations: [...list, declaration] }, ...others]
    : [{ functionDeclarations: [declaration] }, ...tools]
}

const CONTAINERS: Readonly<Record<string, string>> = {
  generationConfig: 'generationConfig',
  generation_config: 'generationConfig',
  toolConfig: 'toolConfig',
  tool_config: 'toolConfig',
  functionCallingConfig: 'functionCallingConfig',
  function_calling_config: 'functionCallingConfig',
}

/** Members inside a container were kept under their whole path: `generationConfig.speechConfig`. */
function withExtras(body: JsonObject, extras: JsonObject): JsonObject {
  return Object.entries(extras).reduce(
    (whole, [path, value]) => withMember(whole, path.replace(/^generateContentRequest\./, ''), value),
    body,
  )
}

function withMember(object: JsonObject, path: string, value: Json | undefined): JsonObject {
  const dot = path.indexOf('.')
  const holder = dot < 0 ? undefined : CONTAINERS[path.slice(0, dot)]
  if (holder === undefined) return Object.fromEntries([...Object.entries(object), [path, value]])
  const inner = object[holder]
  return { ...object, [holder]: withMember(isObject(inner) ? inner : {}, path.slice(dot + 1), value) }
}
