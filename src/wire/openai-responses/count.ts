/** Counting the tokens of a call without answering it: `POST /responses/input_tokens`. */
import { isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'

/** What the endpoint takes of a call. */
const TAKEN = [
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'truncation',
  'previous_response_id',
  'conversation',
]

export const count = {
  request: (body: JsonObject): JsonObject =>
    Object.fromEntries(TAKEN.filter((name) => body[name] !== undefined).map((name) => [name, body[name]])),
  read: (answer: Json): number | undefined => (isObject(answer) && isNumber(answer['input_tokens']) ? answer['input_tokens'] : undefined),
  write: (tokens: number): JsonObject => ({ object: 'response.input_tokens', input_tokens: tokens }),
}
