/** The model list in the three shapes that share one path. */
import type { HttpRequest } from '../../core/http.ts'
import type { JsonObject } from '../../core/json.ts'
import type { SimulatedWireId } from './types.ts'

export type ListShape = Exclude<SimulatedWireId, 'openai-responses'>

/** Who is asking, by the header that only one vendor's clients send. */
export function listShape({ headers, path, query }: HttpRequest): ListShape {
  if (headers['anthropic-version'] !== undefined) return 'anthropic-messages'
  const google = headers['x-goog-api-key'] ?? headers['x-goog-api-client'] ?? new URLSearchParams(query).get('key')
  return google || path.includes('/v1beta') ? 'gemini' : 'openai-chat'
}

export function modelOf(shape: ListShape, id: string): JsonObject {
  switch (shape) {
    case 'anthropic-messages':
      return { type: 'model', id, display_name: `Simulated ${id}`, created_at: '2026-01-01T00:00:00Z' }
    case 'gemini':
      return {
        name: `models/${id}`,
        version: '1',
        displayName: `Simulated ${id}`,
        inputTokenLimit: 1_000_000,
        outputTokenLimit: 100_000,
        supportedGenerationMethods: ['generateContent', 'countTokens'],
      }
    default:
      return { id, object: 'model', created: 1_767_225_600, owned_by: 'simulator' }
  }
}

export function modelList(shape: ListShape, ids: readonly string[]): JsonObject {
  const data = ids.map((id) => modelOf(shape, id))
  switch (shape) {
    case 'anthropic-messages':
      return { data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null }
    case 'gemini':
      return { models: data }
    default:
      return { object: 'list', data }
  }
}
