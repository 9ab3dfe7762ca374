/** What an importer gives: a configuration of ours, and what it could not carry. */
import type { JsonObject } from '../../core/json.ts'
import type { ConfigInput } from '../schema.ts'

export interface Lost {
  /** In the file that was imported. */
  readonly path: string
  readonly reason: string
}

export interface Imported {
  readonly config: ConfigInput
  readonly lost: readonly Lost[]
}

/** A configuration while it is put together. */
export interface Draft {
  readonly providers: Map<string, JsonObject>
  readonly models: Map<string, { targets: JsonObject[]; [key: string]: unknown }>
  readonly lost: Lost[]
}

export const newDraft = (): Draft => ({ providers: new Map(), models: new Map(), lost: [] })

/** The id of a provider like this one: an earlier one that is the same, else a new one named after its preset. */
export function providerId(
  { providers }: Draft,
  preset: string,
  given: { baseUrl?: string | undefined; keys?: readonly string[] },
  name = preset,
): string {
  const entry: JsonObject = {
    ...(name === preset ? {} : { preset }),
    ...(given.baseUrl !== undefined && { baseUrl: given.baseUrl }),
    ...(given.keys && given.keys.length > 0 && { keys: [...given.keys] }),
  }
  for (let number = 1; ; number++) {
    const id = number === 1 ? name : `${name}-${number}`
    const wanted: JsonObject = number === 1 ? entry : { preset, ...entry }
    const known = providers.get(id)
    if (!known) {
      providers.set(id, wanted)
      return id
    }
    if (JSON.stringify(known) === JSON.stringify(wanted)) return id
  }
}

/** Names of providers in other gateways, where they differ from the catalogue's. */
const presets: Readonly<Record<string, string>> = {
  gemini: 'google',
  'vertex-ai': 'google-vertex',
  vertex_ai: 'google-vertex',
  vertex_ai_beta: 'google-vertex',
  bedrock: 'amazon-bedrock',
  bedrock_converse: 'amazon-bedrock',
  'azure-openai': 'azure',
  azure_ai: 'azure',
  'azure-ai': 'azure',
  'mistral-ai': 'mistral',
  codestral: 'mistral',
  together_ai: 'togetherai',
  'together-ai': 'togetherai',
  fireworks_ai: 'fireworks-ai',
  'x-ai': 'xai',
  cohere_chat: 'cohere',
  'perplexity-ai': 'perplexity',
  nvidia_nim: 'nvidia',
  ollama_chat: 'ollama',
  hosted_vllm: 'vllm',
  vllm: 'vllm',
  llamafile: 'llamacpp',
  lm_studio: 'openai-compatible',
  custom_openai: 'openai-compatible',
  openai_like: 'openai-compatible',
  github: 'github-models',
  'workers-ai': 'cloudflare-workers-ai',
  cloudflare: 'cloudflare-workers-ai',
}
export const presetOf = (name: string): string => (Object.hasOwn(presets, name) ? (presets[name] ?? name) : name)

/** An id of ours: lower-case letters, digits, dots, dashes, underscores. */
export const idOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '') || 'imported'

export const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
export const number = (value: unknown): number | undefined => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined
}

/** Seconds as a duration of ours; more than a timer can wait is left out. */
export const seconds = (value: number | undefined): string | undefined =>
  value === undefined || value <= 0 || value > 2_000_000
    ? undefined
    : Number.isInteger(value)
      ? `${value}s`
      : `${Math.max(1, Math.round(value * 1000))}ms`

export const finished = ({ providers, models, lost }: Draft, rest: JsonObject = {}): Imported => ({
  config: {
    ...(providers.size > 0 && { providers: Object.fromEntries(providers) }),
    ...(models.size > 0 && { models: Object.fromEntries(models) }),
    ...rest,
  } as ConfigInput,
  lost,
})
