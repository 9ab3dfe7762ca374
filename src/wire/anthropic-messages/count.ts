/** Counting the tokens of a call without answering it: the same body, without what only an answer needs. */
import { isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Target } from '../../core/target.ts'

const COUNTED = new Set([
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'cache_control',
  'output_config',
  'output_format',
  'mcp_servers',
  'context_management',
  'speed',
])

export const count = {
  request: (body: JsonObject, target: Target): JsonObject => ({
    ...Object.fromEntries(Object.entries(body).filter(([name]) => COUNTED.has(name))),
    model: target.model,
  }),
  read: (answer: Json): number | undefined => {
    const tokens = isObject(answer) ? answer['input_tokens'] : undefined
    return isNumber(tokens) ? tokens : undefined
  },
  write: (tokens: number): JsonObject => ({ input_tokens: tokens }),
}
