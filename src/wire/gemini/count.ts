/** Token counting: `:countTokens`. */
import { isNumber, isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Target } from '../../core/target.ts'

/** The whole request one level down, so that instructions and tools are counted too; it wants the model's name in itself. */
export function countRequest(body: JsonObject, { model }: Target): JsonObject {
  const whole = body['generateContentRequest'] ?? body['generate_content_request']
  const name = /^(models|tunedModels|publishers|projects)\//.test(model) ? model : `models/${model}`
  return { generateContentRequest: { ...(isObject(whole) ? whole : body), model: name } }
}

export function readCount(answer: Json): number | undefined {
  const total = isObject(answer) ? answer['totalTokens'] : undefined
  return isNumber(total) ? total : undefined
}

export const writeCount = (tokens: number): JsonObject => ({ totalTokens: tokens })
