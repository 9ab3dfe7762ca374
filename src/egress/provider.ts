/** A configured provider, ready to be called: URLs, credentials and headers, built once. */
import type { WireId } from '../core/call.ts'
import type { Headers } from '../core/http.ts'

/** How the credential is sent: the header's name, and what stands before the key in it. */
export interface AuthStyle {
  readonly header: string
  readonly prefix?: string
}

export interface ProviderOptions {
  readonly id: string
  baseUrlOf(wire: WireId): string
  readonly auth: AuthStyle
  /** Secrets, in order. Empty for providers that need none. */
  readonly keys: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

export type Endpoint = 'chat' | 'count'

export interface Provider {
  readonly id: string
  /** How many keys there are, at least 1: a provider without keys is called without one. */
  readonly keyCount: number
  url(wire: WireId, endpoint: Endpoint, model: string, streamed: boolean): string
  headers(wire: WireId, keyIndex: number, streamed: boolean): Readonly<Headers>
  /** Text that came from the provider, without any of our keys in it. */
  scrubbed(text: string): string
}

export function createProvider({ id, baseUrlOf, auth, keys, headers = {} }: ProviderOptions): Provider {
  const urls = new Map<string, string>()
  const built = new Map<string, Headers>()
  const bases = new Map<WireId, string>()
  const baseOf = (wire: WireId): string => {
    let base = bases.get(wire)
    if (base === undefined) {
      base = baseUrlOf(wire).replace(/\/+$/, '')
      bases.set(wire, base)
    }
    return base
  }
  return {
    id,
    keyCount: Math.max(1, keys.length),
    url(wire, endpoint, model, streamed) {
      if (wire === 'gemini') return `${baseOf(wire)}/models/${pathOf(model)}:${geminiVerb(endpoint, streamed)}`
      const key = `${wire} ${endpoint}`
      let url = urls.get(key)
      if (url === undefined) {
        url = baseOf(wire) + PATHS[endpoint][wire]
        urls.set(key, url)
      }
      return url
    },
    headers(wire, keyIndex, streamed) {
      const key = `${wire} ${keyIndex} ${streamed}`
      let made = built.get(key)
      if (!made) {
        const secret = keys[keyIndex]
        made = { 'content-type': 'application/json', accept: streamed ? 'text/event-stream' : 'application/json' }
        if (wire === 'anthropic-messages') made['anthropic-version'] = '2023-06-01'
        if (secret !== undefined) made[auth.header] = (auth.prefix ?? '') + secret
        for (const [name, value] of Object.entries(headers)) made[name.toLowerCase()] = value
        built.set(key, made)
      }
      return made
    },
    scrubbed: (text) => keys.reduce((clean, key) => (key.length >= 6 ? clean.replaceAll(key, '***') : clean), text),
  }
}

const PATHS: Readonly<Record<Endpoint, Readonly<Partial<Record<WireId, string>>>>> = {
  chat: { 'openai-chat': '/chat/completions', 'openai-responses': '/responses', 'anthropic-messages': '/messages' },
  count: { 'openai-responses': '/responses/input_tokens', 'anthropic-messages': '/messages/count_tokens' },
}

function geminiVerb(endpoint: Endpoint, streamed: boolean): string {
  if (endpoint === 'count') return 'countTokens'
  return streamed ? 'streamGenerateContent?alt=sse' : 'generateContent'
}

/** A model's name in a path: slashes stay, since names like `tunedModels/x` have them. */
const pathOf = (model: string): string => model.split('/').map(encodeURIComponent).join('/')
