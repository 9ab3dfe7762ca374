/**
 * Presets that name a dialect or a program rather than a company. They assume a capable host: what the client asked for
 * is sent as it is.
 */
import { bearer, env, googleKey, type Preset, xApiKey } from './preset.ts'

export const generic: Readonly<Record<string, Preset>> = {
  'openai-compatible': { name: 'OpenAI-compatible', generic: true, wires: ['openai-chat'] },
  'anthropic-compatible': { name: 'Anthropic-compatible', generic: true, wires: ['anthropic-messages'], auth: xApiKey },
  'gemini-compatible': { name: 'Gemini-compatible', generic: true, wires: ['gemini'], auth: googleKey },
  simulator: { name: 'Simulator', generic: true, wires: ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] },
  ollama: {
    name: 'Ollama',
    generic: true,
    baseUrl: 'http://127.0.0.1:11434/v1',
    baseUrls: { 'ollama-chat': 'http://127.0.0.1:11434/api' },
    wires: ['openai-chat', 'anthropic-messages', 'openai-responses', 'ollama-chat'],
    quirks: { 'openai-chat': { rename: { max_completion_tokens: 'max_tokens' }, reasoningField: 'reasoning' } },
  },
  llamacpp: {
    name: 'llama.cpp',
    generic: true,
    baseUrl: 'http://127.0.0.1:8080/v1',
    wires: ['openai-chat', 'anthropic-messages', 'openai-responses'],
    quirks: {
      'openai-chat': {
        rename: { max_completion_tokens: 'max_tokens' },
        reasoningField: 'reasoning_content',
        takes: [
          'top_k',
          'min_p',
          'typical_p',
          'repeat_penalty',
          'grammar',
          'json_schema',
          'cache_prompt',
          'reasoning_format',
          'chat_template_kwargs',
        ],
      },
    },
  },
  vllm: {
    name: 'vLLM',
    generic: true,
    baseUrl: 'http://127.0.0.1:8000/v1',
    wires: ['openai-chat', 'anthropic-messages', 'openai-responses'],
    quirks: {
      'openai-chat': {
        // Called reasoning_content before version 0.26; answers are read under either name.
        reasoningField: 'reasoning',
        takes: ['top_k', 'min_p', 'repetition_penalty', 'structured_outputs', 'chat_template_kwargs', 'stop_token_ids'],
      },
    },
  },
  sglang: {
    name: 'SGLang',
    generic: true,
    baseUrl: 'http://127.0.0.1:30000/v1',
    wires: ['openai-chat', 'anthropic-messages'],
    quirks: {
      'openai-chat': {
        reasoningField: 'reasoning_content',
        takes: ['top_k', 'min_p', 'repetition_penalty', 'regex', 'ebnf', 'separate_reasoning', 'stream_reasoning', 'chat_template_kwargs'],
      },
    },
  },
  'bedrock-mantle': {
    name: 'Amazon Bedrock (OpenAI and Anthropic endpoints)',
    baseUrl: `https://bedrock-mantle.${env('AWS_REGION')}.api.aws/openai/v1`,
    baseUrls: { 'anthropic-messages': `https://bedrock-mantle.${env('AWS_REGION')}.api.aws/anthropic/v1` },
    wires: ['openai-responses', 'openai-chat', 'anthropic-messages'],
    auth: bearer,
    env: ['AWS_REGION', 'AWS_BEARER_TOKEN_BEDROCK'],
    doc: 'https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html',
  },
}
