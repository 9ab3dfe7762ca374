import { arrayOf, isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { addMedia } from './media.ts'
import type { NeedsFound } from './needs.ts'

export function anthropicNeeds(json: JsonObject, text: string, found: NeedsFound): void {
  const { features, wishes } = found
  const tools = arrayOf(json['tools']).length > 0
  if (tools) features.add('tools')
  const choice = isObject(json['tool_choice']) ? json['tool_choice'] : {}
  if (tools && (choice['type'] === 'any' || choice['type'] === 'tool')) wishes.add('forced_tool')
  const config = isObject(json['output_config']) ? json['output_config'] : {}
  const format = config['format'] ?? json['output_format']
  if (isObject(format) && format['type'] === 'json_schema') wishes.add(tools ? 'json_schema_with_tools' : 'json_schema')
  const thinking = isObject(json['thinking']) ? json['thinking']['type'] : undefined
  if (thinking !== undefined && thinking !== 'disabled') wishes.add('reasoning')
  if (isNumber(json['max_tokens'])) found.output = json['max_tokens']
  if (found.media && /"(?:image|document)"/.test(text))
    for (const message of arrayOf(json['messages'])) if (isObject(message)) visit(message['content'], found, 0)
}

function visit(content: Json | undefined, found: NeedsFound, depth: number): void {
  for (const block of arrayOf(content)) {
    if (!isObject(block)) continue
    if (block['type'] === 'image') addMedia(found.features, 'image')
    if (
      block['type'] === 'document' &&
      isObject(block['source']) &&
      block['source']['type'] !== 'text' &&
      block['source']['type'] !== 'content'
    )
      addMedia(found.features, 'pdf')
    // Results of tools hold blocks of their own.
    if (depth < 2) visit(block['content'], found, depth + 1)
  }
}
