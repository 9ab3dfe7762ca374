import { arrayOf, isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { addMedia } from './media.ts'
import type { NeedsFound } from './needs.ts'

export function openaiResponsesNeeds(json: JsonObject, text: string, found: NeedsFound): void {
  const { features, wishes } = found
  const tools = arrayOf(json['tools']).length > 0
  if (tools) features.add('tools')
  const choice = json['tool_choice']
  if (tools && (choice === 'required' || isObject(choice))) wishes.add('forced_tool')
  if (tools && json['parallel_tool_calls'] === true) wishes.add('parallel_tools')
  const format = isObject(json['text']) ? json['text']['format'] : undefined
  if (isObject(format) && format['type'] === 'json_schema') wishes.add(tools ? 'json_schema_with_tools' : 'json_schema')
  const effort = isObject(json['reasoning']) ? json['reasoning']['effort'] : undefined
  if (typeof effort === 'string' && effort !== 'none' && effort !== 'minimal') wishes.add('reasoning')
  const logprobs = json['top_logprobs']
  if ((isNumber(logprobs) && logprobs > 0) || arrayOf(json['include']).includes('message.output_text.logprobs')) wishes.add('logprobs')
  if (isNumber(json['max_output_tokens'])) found.output = json['max_output_tokens']
  if (found.media && /"input_(?:image|file|audio)"/.test(text)) for (const item of arrayOf(json['input'])) visit(item, found)
}

function visit(item: Json, found: NeedsFound): void {
  if (!isObject(item)) return
  addMedia(found.features, kindOf(item['type']))
  // Messages hold parts, and results of tools may.
  for (const part of [...arrayOf(item['content']), ...arrayOf(item['output'])])
    if (isObject(part)) addMedia(found.features, kindOf(part['type']))
}

function kindOf(type: unknown): string | undefined {
  switch (type) {
    case 'input_image':
      return 'image'
    case 'input_file':
      return 'pdf'
    case 'input_audio':
      return 'audio'
    default:
      return undefined
  }
}
