/** Structured output: natively, by a forced tool, or by words. */
import type { ChatCall } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import type { ToolNames } from '../tool-names.ts'
import { WIRE } from './decode-content.ts'
import type { Block } from './encode-parts.ts'
import { constrainingSchema, toolSchema } from './schema.ts'

export interface EncodedFormat {
  /** `output_config.format`. */
  readonly native?: JsonObject
  /** A tool whose input is the answer. */
  readonly tool?: Block
  readonly choice?: JsonObject
  /** Words for the system prompt. */
  readonly instruction?: string
}

export function encodeFormat(
  call: ChatCall,
  { capabilities }: Target,
  tools: readonly Block[],
  names: ToolNames,
  notes: Notes,
): EncodedFormat {
  const { format } = call
  if (!format) return {}
  if (format.type !== 'schema') {
    if (format.type === 'text') return {}
    notes.dropped(format.path, 'as an instruction')
    return { instruction: 'Answer with one valid JSON object and nothing else: no words around it, no code fence.' }
  }
  const { schema, description, path } = format
  const nativeTaken = capabilities.jsonSchema !== false && (tools.length === 0 || capabilities.jsonSchemaWithTools !== false)
  if (nativeTaken && call.wire === WIRE) return { native: { type: 'json_schema', schema } }
  const clean = constrainingSchema(schema)
  if (nativeTaken && clean) {
    if (clean.lost.size > 0) notes.dropped(`${path}.schema`, `in words only: ${[...clean.lost].join(' ')}`)
    return { native: { type: 'json_schema', schema: described(clean.schema, description) } }
  }
  const { schema: input, lost } = toolSchema(schema)
  if (lost.size > 0 || capabilities.forcedToolChoice === false) {
    notes.dropped(path, 'as an instruction')
    return {
      instruction: `Answer with one JSON value and nothing else: no words around it, no code fence. It must follow this JSON Schema:\n${JSON.stringify(described(schema, description))}`,
    }
  }
  notes.dropped(path, 'as a tool')
  const name = nameOf(tools, names)
  return {
    tool: { name, description: description || 'Gives the answer. Call it once, with the whole answer.', input_schema: input },
    // With other tools the model may use them first.
    choice: tools.length > 0 && call.toolChoice?.type !== 'none' ? { type: 'any' } : { type: 'tool', name },
  }
}

/** The format's description, which has no other place. */
function described(schema: JsonObject, description: string | undefined): JsonObject {
  if (!description) return schema
  const { description: inner } = schema
  return { ...schema, description: typeof inner === 'string' && inner !== '' ? `${description}\n\n${inner}` : description }
}

function nameOf(tools: readonly Block[], names: ToolNames): string {
  let name = 'json'
  while (tools.some((tool) => tool['name'] === name) || names.received(name)) name += '_'
  return name
}
