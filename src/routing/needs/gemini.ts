import { arrayOf, isNumber, isObject, type JsonObject } from '../../core/json.ts'
import { addMedia } from './media.ts'
import type { NeedsFound } from './needs.ts'

/** Google's fields, in either of their spellings. */
const either = (object: JsonObject, camel: string, snake: string): JsonObject[string] => object[camel] ?? object[snake]

export function geminiNeeds(json: JsonObject, text: string, found: NeedsFound): void {
  const { features, wishes } = found
  const tools = arrayOf(json['tools']).length > 0
  if (tools) features.add('tools')
  const toolConfig = either(json, 'toolConfig', 'tool_config')
  const calling = isObject(toolConfig) ? either(toolConfig, 'functionCallingConfig', 'function_calling_config') : undefined
  if (tools && isObject(calling) && calling['mode'] === 'ANY') wishes.add('forced_tool')
  const given = either(json, 'generationConfig', 'generation_config')
  const config = isObject(given) ? given : {}
  if (either(config, 'responseSchema', 'response_schema') ?? either(config, 'responseJsonSchema', 'response_json_schema'))
    wishes.add(tools ? 'json_schema_with_tools' : 'json_schema')
  const thinking = either(config, 'thinkingConfig', 'thinking_config')
  if (isObject(thinking)) {
    const budget = either(thinking, 'thinkingBudget', 'thinking_budget')
    if ((isNumber(budget) && budget !== 0) || thinking['thinkingLevel'] !== undefined) wishes.add('reasoning')
  }
  if (either(config, 'responseLogprobs', 'response_logprobs') === true) wishes.add('logprobs')
  for (const modality of arrayOf(either(config, 'responseModalities', 'response_modalities'))) {
    if (modality === 'IMAGE') features.add('image_output')
    if (modality === 'AUDIO') features.add('audio_output')
  }
  const output = either(config, 'maxOutputTokens', 'max_output_tokens')
  if (isNumber(output)) found.output = output
  if (found.media && /"(?:inlineData|inline_data|fileData|file_data)"/.test(text))
    for (const content of arrayOf(json['contents']))
      if (isObject(content))
        for (const part of arrayOf(content['parts'])) {
          if (!isObject(part)) continue
          const data = either(part, 'inlineData', 'inline_data') ?? either(part, 'fileData', 'file_data')
          const mime = isObject(data) ? either(data, 'mimeType', 'mime_type') : undefined
          if (typeof mime === 'string') addMedia(features, mime)
        }
}
