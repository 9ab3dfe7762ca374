/**
 * What the facts lack about catalogue providers: base URLs (without one, or without the version segment), the wires they
 * speak besides Chat, and how they want their key. A base URL is what precedes `/chat/completions`, `/responses`,
 * `/messages` or `/models`.
 */
import { azureKey, bearer, env, googleKey, type Preset, xApiKey } from './preset.ts'

const vertex = `https://${env('GOOGLE_VERTEX_LOCATION')}-aiplatform.googleapis.com/v1beta1/projects/${env('GOOGLE_VERTEX_PROJECT')}/locations/${env('GOOGLE_VERTEX_LOCATION')}`

/** MiniMax serves Messages under one path and Chat under another, on each of its hosts. */
const minimax = (host: string): Preset => ({
  baseUrl: `https://${host}/anthropic/v1`,
  baseUrls: { 'openai-chat': `https://${host}/v1` },
  wires: ['anthropic-messages', 'openai-chat'],
})

const kimi = (host: string): Preset => ({
  baseUrls: { 'anthropic-messages': `https://${host}/anthropic/v1` },
  wires: ['openai-chat', 'anthropic-messages'],
})

export const providerPresets: Readonly<Record<string, Preset>> = {
  // Vendors with a wire of their own.
  openai: { baseUrl: 'https://api.openai.com/v1', wires: ['openai-responses', 'openai-chat'] },
  anthropic: { baseUrl: 'https://api.anthropic.com/v1', wires: ['anthropic-messages'], auth: xApiKey },
  google: { baseUrl: 'https://generativelanguage.googleapis.com/v1beta', wires: ['gemini'], auth: googleKey },
  azure: {
    baseUrl: `https://${env('AZURE_RESOURCE_NAME')}.openai.azure.com/openai/v1`,
    baseUrls: { 'anthropic-messages': `https://${env('AZURE_RESOURCE_NAME')}.services.ai.azure.com/anthropic/v1` },
    wires: ['openai-responses', 'openai-chat'],
    auth: azureKey,
  },
  'azure-cognitive-services': {
    baseUrl: `https://${env('AZURE_COGNITIVE_SERVICES_RESOURCE_NAME')}.cognitiveservices.azure.com/openai/v1`,
    baseUrls: { 'anthropic-messages': `https://${env('AZURE_COGNITIVE_SERVICES_RESOURCE_NAME')}.services.ai.azure.com/anthropic/v1` },
    wires: ['openai-responses', 'openai-chat'],
    auth: azureKey,
  },
  'amazon-bedrock': {
    baseUrl: `https://bedrock-runtime.${env('AWS_REGION')}.amazonaws.com`,
    baseUrls: { 'openai-responses': `https://bedrock-mantle.${env('AWS_REGION')}.api.aws/openai/v1` },
    wires: ['bedrock-converse'],
    limitation:
      'Converse and AWS signatures are not spoken yet; `bedrock-mantle` reaches the same account over OpenAI and Anthropic endpoints',
  },
  'google-vertex': {
    baseUrl: `${vertex}/publishers/google`,
    baseUrls: { 'openai-chat': `${vertex}/endpoints/openapi` },
    wires: ['gemini'],
    limitation: 'wants a Google OAuth token, which the gateway cannot fetch yet: a key given here is sent as a bearer token',
  },
  'google-vertex-anthropic': {
    baseUrl: `${vertex}/publishers/anthropic`,
    wires: ['anthropic-messages'],
    limitation: 'wants Google OAuth tokens and Messages in Vertex’s own wrapping, which the gateway does not speak yet',
  },
  cohere: {
    baseUrl: 'https://api.cohere.com/compatibility/v1',
    baseUrls: { 'cohere-chat': 'https://api.cohere.com/v2' },
    wires: ['openai-chat', 'cohere-chat'],
  },
  mistral: { baseUrl: 'https://api.mistral.ai/v1' },

  // Hosts whose clients know the URL, so that the facts leave it out.
  aihubmix: { baseUrl: 'https://aihubmix.com/v1', wires: ['openai-chat', 'anthropic-messages'] },
  cerebras: { baseUrl: 'https://api.cerebras.ai/v1' },
  'cloudflare-ai-gateway': {
    baseUrl: `https://gateway.ai.cloudflare.com/v1/${env('CLOUDFLARE_ACCOUNT_ID')}/${env('CLOUDFLARE_GATEWAY_ID')}/compat`,
    oneWire: true,
  },
  deepinfra: { baseUrl: 'https://api.deepinfra.com/v1/openai' },
  gitlab: { limitation: 'wants a short-lived token and a per-user base URL from the GitLab API; give `baseUrl` and a key of your own' },
  groq: { baseUrl: 'https://api.groq.com/openai/v1', wires: ['openai-chat', 'openai-responses'] },
  'merge-gateway': { baseUrl: 'https://api-gateway.merge.dev/v1', wires: ['openai-chat', 'openai-responses'] },
  perplexity: { baseUrl: 'https://api.perplexity.ai' },
  'sap-ai-core': {
    limitation: 'each tenant has its own URL and OAuth client, both in the service key; give `baseUrl` and a token of your own',
  },
  togetherai: { baseUrl: 'https://api.together.ai/v1' },
  v0: { baseUrl: 'https://api.v0.dev/v1' },
  venice: { baseUrl: 'https://api.venice.ai/api/v1' },
  vercel: { baseUrl: 'https://ai-gateway.vercel.sh/v1', wires: ['openai-chat', 'anthropic-messages', 'openai-responses'] },
  xai: { baseUrl: 'https://api.x.ai/v1', wires: ['openai-responses', 'openai-chat'] },

  // Facts that need mending: a whole endpoint instead of a base, or no version segment.
  bailing: { baseUrl: 'https://api.tbox.cn/api/llm/v1' },
  deepseek: {
    baseUrl: 'https://api.deepseek.com/v1',
    baseUrls: { 'anthropic-messages': 'https://api.deepseek.com/anthropic/v1' },
    wires: ['openai-chat', 'anthropic-messages', 'openai-responses'],
  },

  // Hosts that speak more than Chat.
  'fireworks-ai': { wires: ['openai-chat', 'anthropic-messages'] },
  'github-copilot': { headers: { 'copilot-integration-id': 'vscode-chat' } },
  'kimi-for-coding': { wires: ['anthropic-messages', 'openai-chat'] },
  minimax: minimax('api.minimax.io'),
  'minimax-coding-plan': minimax('api.minimax.io'),
  'minimax-cn': minimax('api.minimaxi.com'),
  'minimax-cn-coding-plan': minimax('api.minimaxi.com'),
  moonshotai: kimi('api.moonshot.ai'),
  'moonshotai-cn': kimi('api.moonshot.cn'),
  'ollama-cloud': {
    baseUrls: { 'ollama-chat': 'https://ollama.com/api' },
    wires: ['openai-chat', 'anthropic-messages', 'openai-responses', 'ollama-chat'],
  },
  openrouter: { wires: ['openai-chat', 'anthropic-messages', 'openai-responses'] },
  'perplexity-agent': { wires: ['openai-responses'] },
  vivgrid: { wires: ['openai-responses', 'openai-chat'] },
  zai: {
    baseUrls: { 'anthropic-messages': 'https://api.z.ai/api/anthropic/v1' },
    wires: ['openai-chat', 'anthropic-messages'],
  },
  'zai-coding-plan': {
    baseUrls: { 'anthropic-messages': 'https://api.z.ai/api/anthropic/v1' },
    wires: ['openai-chat', 'anthropic-messages'],
  },
  zhipuai: {
    baseUrls: { 'anthropic-messages': 'https://open.bigmodel.cn/api/anthropic/v1' },
    wires: ['openai-chat', 'anthropic-messages'],
  },
  'zhipuai-coding-plan': {
    baseUrls: { 'anthropic-messages': 'https://open.bigmodel.cn/api/anthropic/v1' },
    wires: ['openai-chat', 'anthropic-messages'],
  },
  zenmux: {
    baseUrls: { 'anthropic-messages': 'https://zenmux.ai/api/anthropic/v1' },
    wires: ['openai-chat', 'anthropic-messages', 'openai-responses'],
  },
  opencode: { wires: ['openai-chat', 'anthropic-messages', 'openai-responses'] },
  'opencode-go': { wires: ['openai-chat', 'anthropic-messages'] },
  freemodel: { baseUrls: { 'openai-chat': 'https://api.freemodel.dev/v1' }, auth: bearer },
  lmstudio: { wires: ['openai-chat', 'openai-responses', 'anthropic-messages'], auth: bearer },
}

/** Other names for catalogue providers, as people and vendors write them. */
export const providerAliases: Readonly<Record<string, string>> = {
  gemini: 'google',
  'google-ai-studio': 'google',
  vertex: 'google-vertex',
  bedrock: 'amazon-bedrock',
  'azure-openai': 'azure',
  grok: 'xai',
  'x-ai': 'xai',
  together: 'togetherai',
  fireworks: 'fireworks-ai',
  qwen: 'alibaba',
  dashscope: 'alibaba',
  moonshot: 'moonshotai',
  kimi: 'moonshotai',
  zhipu: 'zhipuai',
  'z-ai': 'zai',
  'hugging-face': 'huggingface',
  novita: 'novita-ai',
  nim: 'nvidia',
  'llama.cpp': 'llamacpp',
  'llama-cpp': 'llamacpp',
  'lm-studio': 'lmstudio',
  'ai-gateway': 'vercel',
  'deep-infra': 'deepinfra',
  codestral: 'mistral',
}

/** The catalogue's id for a provider under any of its names. */
export function canonicalProvider(id: string): string {
  const name = id.toLowerCase()
  return Object.hasOwn(providerAliases, name) ? providerAliases[name]! : id
}
