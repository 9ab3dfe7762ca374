/** Names that a configuration may use without saying more. */
import type { WireId } from '../core/call.ts'

export const wireIds = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini',
  'bedrock-converse',
  'cohere-chat',
  'ollama-chat',
] as const satisfies readonly WireId[]

/** Wires this version speaks. */
export const spokenWires: ReadonlySet<WireId> = new Set(['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'])

export interface GenericPreset {
  /** The wires it may be told to speak. */
  readonly wires: readonly WireId[]
  /** Has no address of its own. */
  readonly needsBaseUrl: boolean
}

/** Presets that stand for no vendor. None needs a key: what they address may be one's own machine. */
export const genericPresets: Readonly<Record<string, GenericPreset>> = {
  'openai-compatible': { wires: ['openai-chat', 'openai-responses'], needsBaseUrl: true },
  'anthropic-compatible': { wires: ['anthropic-messages'], needsBaseUrl: true },
  'gemini-compatible': { wires: ['gemini'], needsBaseUrl: true },
  ollama: { wires: ['openai-chat', 'openai-responses', 'anthropic-messages', 'ollama-chat'], needsBaseUrl: false },
  llamacpp: { wires: ['openai-chat', 'openai-responses', 'anthropic-messages'], needsBaseUrl: false },
  vllm: { wires: ['openai-chat', 'openai-responses', 'anthropic-messages'], needsBaseUrl: false },
  sglang: { wires: ['openai-chat', 'anthropic-messages'], needsBaseUrl: false },
  simulator: { wires: ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'], needsBaseUrl: false },
}

export const providerIdPattern = /^[a-z0-9][a-z0-9._-]*$/

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name)
}
