import { arrayOf, isNumber, isObject, type JsonObject } from '../../core/json.ts'
import { addMedia } from './media.ts'
import type { NeedsFound } from './needs.ts'

export function openaiChatNeeds(json: JsonObject, text: string, found: NeedsFound): void {
  const { features, wishes } = found
  const tools = arrayOf(json['tools']).length > 0 || arrayOf(json['functions']).length > 0
  if (tools) features.add('tools')
  const choice = json['tool_choice'] ?? json['function_call']
  if (tools && (choice === 'required' || isObject(choice))) wishes.add('forced_tool')
  if (tools && json['parallel_tool_calls'] === true) wishes.add('parallel_tools')
  const format = json['response_format']
  if (isObject(format) && format['type'] === 'json_schema') wishes.add(tools ? 'json_schema_with_tools' : 'json_schema')
  const effort = json['reasoning_effort'] ?? (isObject(json['reasoning']) ? json['reasoning']['effort'] : undefined)
  if (typeof effort === 'string' && effort !== 'none' && effort !== 'minimal') wishes.add('reasoning')
  if (json['logprobs'] === true) wishes.add('logprobs')
  const modalities = arrayOf(json['modalities'])
  if (modalities.includes('audio')) features.add('audio_output')
  if (modalities.includes('image')) features.add('image_output')
  const output = json['max_completion_tokens'] ?? json['max_tokens']
  if (isNumber(output)) found.output = output
  // The words are looked for in the text first: most conversations are only words.
  if (found.media && /"(?:image_url|input_audio|file|video_url)"/.test(text))
    for (const message of arrayOf(json['messages']))
      if (isObject(message)) for (const part of arrayOf(message['content'])) if (isObject(part)) addMedia(features, kindOf(part))
}

function kindOf(part: JsonObject): string | undefined {
  switch (part['type']) {
    case 'image_url':
      return 'image'
    case 'input_audio':
      return 'audio'
    case 'video_url':
      return 'video'
    case 'file':
      return 'pdf'
    default:
      return undefined
  }
}
