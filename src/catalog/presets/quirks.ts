/**
 * How hosts depart from Chat Completions, as data: renamed and refused fields, where thinking goes, how it is switched.
 * A host that is not named here takes what OpenAI takes.
 */
import type { Quirks } from '../../core/target.ts'

const maxTokens = { max_completion_tokens: 'max_tokens' } as const

const alibaba: Quirks = {
  rename: maxTokens,
  refuses: ['frequency_penalty', 'logit_bias', 'store', 'metadata', 'user'],
  reasoningField: 'reasoning_content',
  reasoningStyle: 'enable-thinking',
  cacheControl: true,
  takes: ['top_k', 'enable_thinking', 'thinking_budget', 'preserve_thinking', 'enable_search', 'repetition_penalty'],
}

const zhipu: Quirks = {
  rename: maxTokens,
  refuses: ['logprobs', 'top_logprobs', 'logit_bias', 'n', 'presence_penalty', 'frequency_penalty', 'seed', 'store', 'metadata'],
  reasoningField: 'reasoning_content',
  reasoningStyle: 'thinking-type',
  noJsonSchema: true,
  userField: 'user_id',
  takes: ['do_sample', 'request_id', 'tool_stream'],
}

const moonshot: Quirks = {
  rename: maxTokens,
  refuses: ['logit_bias', 'logprobs', 'top_logprobs', 'store', 'metadata'],
  reasoningField: 'reasoning_content',
  reasoningStyle: 'thinking-type',
  prefixFlag: 'partial',
  takes: ['prompt_cache_key'],
}

const minimax: Quirks = {
  refuses: ['presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'store'],
  reasoningField: 'reasoning_details',
  takes: ['reasoning_split', 'mask_sensitive_info'],
}

export const chatQuirks: Readonly<Record<string, Quirks>> = {
  mistral: {
    rename: { ...maxTokens, seed: 'random_seed' },
    refuses: ['top_k', 'logit_bias', 'logprobs', 'top_logprobs', 'user', 'store', 'verbosity', 'modalities', 'stream_options'],
    noStreamOptions: true,
    toolChoiceRequired: 'any',
    toolIdLength: 9,
    imageUrlString: true,
    prefixFlag: 'prefix',
    takes: ['safe_prompt', 'prompt_mode', 'guardrails', 'prediction', 'prompt_cache_key'],
  },
  deepseek: {
    rename: maxTokens,
    refuses: [
      'seed',
      'top_k',
      'logit_bias',
      'n',
      'parallel_tool_calls',
      'store',
      'metadata',
      'service_tier',
      'verbosity',
      'presence_penalty',
      'frequency_penalty',
    ],
    reasoningField: 'reasoning_content',
    reasoningRequired: true,
    reasoningStyle: 'thinking-type',
    efforts: { minimal: 'low', low: 'low', medium: 'high', high: 'high', xhigh: 'max', max: 'max' },
    noJsonSchema: true,
    // Works under the /beta base URL only; elsewhere the flag is ignored.
    prefixFlag: 'prefix',
    userField: 'user_id',
  },
  alibaba,
  'alibaba-cn': alibaba,
  'alibaba-coding-plan': alibaba,
  'alibaba-coding-plan-cn': alibaba,
  'alibaba-token-plan': alibaba,
  'alibaba-token-plan-cn': alibaba,
  groq: {
    refuses: ['logprobs', 'top_logprobs', 'logit_bias', 'n', 'name', 'store', 'metadata', 'verbosity'],
    reasoningField: 'reasoning',
    takes: ['reasoning_format', 'include_reasoning', 'documents', 'search_settings', 'compound_custom'],
  },
  xai: {
    refuses: ['presence_penalty', 'frequency_penalty', 'stop', 'logit_bias', 'store', 'metadata'],
    reasoningField: 'reasoning_content',
    takes: ['search_parameters', 'deferred'],
  },
  perplexity: {
    rename: maxTokens,
    refuses: [
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'stop',
      'seed',
      'n',
      'logit_bias',
      'logprobs',
      'top_logprobs',
      'user',
      'store',
      'metadata',
      'service_tier',
    ],
    noStreamOptions: true,
    reasoningOutsideOutput: true,
    takes: [
      'top_k',
      'search_mode',
      'search_domain_filter',
      'search_recency_filter',
      'search_after_date_filter',
      'search_before_date_filter',
      'return_images',
      'return_related_questions',
      'web_search_options',
      'disable_search',
    ],
  },
  openrouter: {
    reasoningField: 'reasoning',
    reasoningStyle: 'openrouter',
    cacheControl: true,
    takes: ['top_k', 'min_p', 'top_a', 'repetition_penalty', 'provider', 'models', 'plugins', 'transforms', 'route', 'usage', 'session_id'],
  },
  vercel: { reasoningField: 'reasoning', cacheControl: true, takes: ['providerOptions', 'models'] },
  cerebras: {
    refuses: ['presence_penalty', 'frequency_penalty', 'logit_bias', 'n', 'store', 'metadata', 'verbosity'],
    reasoningField: 'reasoning',
    takes: ['clear_thinking', 'reasoning_format', 'disable_reasoning'],
  },
  togetherai: {
    rename: maxTokens,
    refuses: ['store', 'metadata', 'service_tier', 'verbosity', 'user'],
    reasoningField: 'reasoning',
    takes: ['top_k', 'min_p', 'repetition_penalty', 'safety_model', 'context_length_exceeded_behavior', 'chat_template_kwargs'],
  },
  'fireworks-ai': {
    rename: maxTokens,
    refuses: ['store', 'verbosity'],
    reasoningField: 'reasoning_content',
    efforts: { minimal: 'low', xhigh: 'high', max: 'high' },
    takes: [
      'top_k',
      'min_p',
      'repetition_penalty',
      'thinking',
      'reasoning_history',
      'prompt_cache_key',
      'context_length_exceeded_behavior',
      'raw_output',
    ],
  },
  cohere: {
    rename: maxTokens,
    refuses: ['n', 'logit_bias', 'top_logprobs', 'parallel_tool_calls', 'service_tier', 'store', 'metadata', 'user', 'verbosity'],
    efforts: { minimal: 'none', low: 'high', medium: 'high', high: 'high', xhigh: 'high', max: 'high' },
  },
  zai: zhipu,
  'zai-coding-plan': zhipu,
  zhipuai: zhipu,
  'zhipuai-coding-plan': zhipu,
  moonshotai: moonshot,
  'moonshotai-cn': moonshot,
  'kimi-for-coding': moonshot,
  minimax,
  'minimax-cn': minimax,
  'minimax-coding-plan': minimax,
  'minimax-cn-coding-plan': minimax,
  nvidia: {
    rename: maxTokens,
    refuses: ['store', 'metadata', 'service_tier', 'verbosity', 'user'],
    reasoningField: 'reasoning_content',
    takes: ['top_k', 'min_p', 'nvext', 'chat_template_kwargs'],
  },
  huggingface: { rename: maxTokens, refuses: ['store', 'metadata', 'service_tier', 'verbosity'], reasoningField: 'reasoning_content' },
  deepinfra: {
    rename: maxTokens,
    refuses: ['store', 'metadata', 'verbosity'],
    reasoningField: 'reasoning_content',
    takes: ['top_k', 'min_p', 'repetition_penalty'],
  },
  siliconflow: {
    rename: maxTokens,
    reasoningField: 'reasoning_content',
    reasoningStyle: 'enable-thinking',
    takes: ['top_k', 'min_p', 'enable_thinking', 'thinking_budget'],
  },
  'siliconflow-cn': {
    rename: maxTokens,
    reasoningField: 'reasoning_content',
    reasoningStyle: 'enable-thinking',
    takes: ['top_k', 'min_p', 'enable_thinking', 'thinking_budget'],
  },
  lmstudio: { rename: maxTokens, reasoningField: 'reasoning_content', takes: ['top_k', 'repeat_penalty', 'ttl'] },
  'ollama-cloud': { rename: maxTokens, reasoningField: 'reasoning' },
  azure: { reasoningField: 'reasoning_content', takes: ['data_sources'] },
  'azure-cognitive-services': { reasoningField: 'reasoning_content', takes: ['data_sources'] },
}
