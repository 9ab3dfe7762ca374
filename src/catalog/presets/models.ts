/**
 * Models newer than the catalogue's facts, by provider. Only what their vendors' own clients say of them; what is not
 * here is unknown, and their prices come from the price data.
 */
import type { ModelEntry } from '../types.ts'

type Extra = Pick<ModelEntry, 'id' | 'name'> & Partial<Pick<ModelEntry, 'contextWindow' | 'maxOutput' | 'family'>>

const text = ['text'] as const
const seeing = ['text', 'image', 'pdf'] as const
const sensing = ['text', 'image', 'audio', 'video', 'pdf'] as const

const reasoning = (
  provider: string,
  inputModalities: readonly string[],
  extras: readonly Extra[],
): readonly Omit<ModelEntry, 'aliases'>[] =>
  extras.map((extra) => ({
    ...extra,
    provider,
    inputModalities,
    outputModalities: text,
    tools: true,
    reasoning: true,
    status: 'active' as const,
  }))

export const newerModels: Readonly<Record<string, readonly Omit<ModelEntry, 'aliases'>[]>> = {
  openai: reasoning('openai', seeing, [
    { id: 'gpt-6-astra', name: 'GPT-6 Astra' },
    { id: 'gpt-6.1-sol', name: 'GPT-6.1 Sol' },
    { id: 'gpt-6.1-terra', name: 'GPT-6.1 Terra', contextWindow: 500_000 },
    { id: 'gpt-6-sol', name: 'GPT-6 Sol' },
    { id: 'gpt-6-luna', name: 'GPT-6 Luna' },
    { id: 'gpt-5.6', name: 'GPT-5.6' },
    { id: 'gpt-5.6-sol', name: 'GPT-5.6 Sol' },
    { id: 'gpt-5.6-terra', name: 'GPT-5.6 Terra' },
    { id: 'gpt-5.6-luna', name: 'GPT-5.6 Luna' },
  ]),
  anthropic: reasoning('anthropic', seeing, [
    { id: 'claude-opus-5-5', name: 'Claude Opus 5.5', contextWindow: 1_000_000, maxOutput: 128_000, family: 'claude-opus' },
    { id: 'claude-opus-5', name: 'Claude Opus 5', maxOutput: 128_000, family: 'claude-opus' },
    { id: 'claude-sonnet-5-5', name: 'Claude Sonnet 5.5', maxOutput: 128_000, family: 'claude-sonnet' },
    { id: 'claude-haiku-5-5', name: 'Claude Haiku 5.5', maxOutput: 128_000, family: 'claude-haiku' },
    { id: 'claude-fable-5-2', name: 'Claude Fable 5.2', maxOutput: 128_000, family: 'claude-fable' },
    { id: 'claude-fable-5-1', name: 'Claude Fable 5.1', maxOutput: 128_000, family: 'claude-fable' },
    { id: 'claude-mythos-5-2', name: 'Claude Mythos 5.2', family: 'claude-mythos' },
  ]),
  google: reasoning('google', sensing, [
    { id: 'gemini-4-argon', name: 'Gemini 4 Argon', family: 'gemini' },
    { id: 'gemini-4-carbon', name: 'Gemini 4 Carbon', family: 'gemini' },
    { id: 'gemini-4-hydrogen', name: 'Gemini 4 Hydrogen', family: 'gemini' },
    { id: 'gemini-3.8-flash', name: 'Gemini 3.8 Flash', family: 'gemini-flash' },
    { id: 'gemini-3.7-flash', name: 'Gemini 3.7 Flash', family: 'gemini-flash' },
    { id: 'gemini-3.6-flash', name: 'Gemini 3.6 Flash', family: 'gemini-flash' },
    { id: 'gemini-3.5-flash-lite', name: 'Gemini 3.5 Flash-Lite', family: 'gemini-flash-lite' },
  ]),
  xai: reasoning(
    'xai',
    ['text', 'image'],
    [
      { id: 'grok-4.7', name: 'Grok 4.7', family: 'grok' },
      { id: 'grok-4.6', name: 'Grok 4.6', family: 'grok' },
      { id: 'grok-4.5', name: 'Grok 4.5', family: 'grok' },
    ],
  ),
  deepseek: reasoning('deepseek', text, [{ id: 'deepseek-v4.1-flash', name: 'DeepSeek V4.1 Flash', family: 'deepseek' }]),
}
