/**
 * Requests that other gateways understand are understood here: the fields, suffixes and headers that steer them are read
 * into one `Steering`. In the OpenAI dialects only: elsewhere the same names are the vendor's own.
 */
import type { WireId } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Steering, SteeringGroup, SteeringName } from '../../core/steering.ts'
import { litellmFallbacks, litellmTags } from './litellm.ts'
import { openrouterModels, openrouterProvider, suffixOf } from './openrouter.ts'
import { portkeyConfig } from './portkey.ts'

export interface SteeredRequest {
  readonly wire: WireId
  readonly model: string
  readonly json: JsonObject
  readonly headers: Readonly<Record<string, string>>
}

/** Undefined when nothing steers, which costs a few look-ups. Throws `invalid-request` for a config header that is no JSON. */
export function steeringOf(request: SteeredRequest): Steering | undefined {
  const { wire, model, json, headers } = request
  if (wire !== 'openai-chat' && wire !== 'openai-responses') return undefined
  const suffix = suffixOf(model)
  const config = headers['x-portkey-config']
  if (
    !suffix &&
    config === undefined &&
    json['models'] === undefined &&
    json['provider'] === undefined &&
    json['fallbacks'] === undefined &&
    json['tags'] === undefined &&
    json['metadata'] === undefined
  )
    return undefined
  return merged(request, suffix)
}

function merged({ model, json, headers }: SteeredRequest, suffix: ReturnType<typeof suffixOf>): Steering | undefined {
  const fields: string[] = []
  const ignored: { path: string; reason: string }[] = []
  const name = suffix?.model ?? model
  const models = openrouterModels(json['models'])
  if (models) fields.push('models')
  const preferences = openrouterProvider(json['provider'], ignored)
  if (preferences) fields.push('provider')
  const fallbacks = litellmFallbacks(json['fallbacks'], model, ignored)
  if (fallbacks) fields.push('fallbacks')
  const tags = litellmTags(json)
  if (tags && json['tags'] !== undefined) fields.push('tags')
  const portkey = headers['x-portkey-config'] === undefined ? undefined : portkeyConfig(headers['x-portkey-config'], name, ignored)
  if (!suffix && !tags && !portkey && ignored.length === 0 && fields.length === 0) return undefined
  return {
    model: suffix?.model,
    implied: json['model'] === undefined || json['model'] === null,
    fallbacks: shortened(
      [...(models ?? []), ...(fallbacks ?? [])].filter((one) => one.name !== model && one.name !== name),
      ignored,
    ),
    ...preferences,
    sort: preferences?.sort ?? suffix?.sort,
    ...(tags && { tags: tags.all, taggedMetadata: tags.nested }),
    ...(portkey && { group: portkey.group, timeoutMs: portkey.timeoutMs }),
    fields,
    ignored,
  }
}

/** Each name may be called: a longer list would make one request many. */
const MAX_NAMES = 16

function shortened(names: readonly SteeringName[], ignored: { path: string; reason: string }[]): readonly SteeringName[] {
  const first = names[MAX_NAMES]
  if (first) ignored.push({ path: first.path, reason: `only the first ${MAX_NAMES} are tried` })
  return names.slice(0, MAX_NAMES)
}

/** The model of a request that names it only in another gateway's way: the first of OpenRouter's list, or Portkey's target. */
export function impliedModel(wire: WireId, json: JsonObject, headers: Readonly<Record<string, string>>): string | undefined {
  if (wire !== 'openai-chat' && wire !== 'openai-responses') return undefined
  const [first] = openrouterModels(json['models']) ?? []
  if (first) return first.name
  const config = headers['x-portkey-config']
  return config === undefined ? undefined : firstTarget(portkeyConfig(config, undefined, [])?.group)?.name
}

function firstTarget(group: SteeringGroup | undefined): SteeringName | undefined {
  const [first] = group?.members ?? []
  return first && 'members' in first ? firstTarget(first) : first
}
