/** A configured provider, ready to be called: URLs, credentials and headers, built once. */
import type { WireId } from '../core/call.ts'
import { type Credentials, fixedCredentials } from '../core/credentials.ts'
import { GatewayError } from '../core/error.ts'
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
  /** Secrets, in order: a list that stays, empty for providers that need none; or one that changes at run time and must have one. */
  readonly keys: readonly string[] | Credentials
  readonly headers?: Readonly<Record<string, string>>
}

export type Endpoint = 'chat' | 'count'

export interface Provider {
  readonly id: string
  /** How many keys there are now, at least 1: a provider without keys is called without one. */
  readonly keyCount: number
  /** Another number after every change of the keys. */
  readonly keysVersion: number
  url(wire: WireId, endpoint: Endpoint, model: string, streamed: boolean): string
  /** Throws where keys are wanted and there is none at the moment. */
  headers(wire: WireId, keyIndex: number, streamed: boolean): Readonly<Headers>
  /** A call with the key at this place, in the list of that version, was answered well. */
  worked(keyIndex: number, keysVersion: number): void
  /** The keys of one organisation: what is known of the health of keys is not of them. */
  readonly ownKeys: boolean
  /** Text that came from the provider, without any of our keys in it. */
  scrubbed(text: string): string
  /** The same provider with the keys that an organisation has of its own; itself where it has none. */
  for(organisation: string): Provider
}

export function createProvider({ id, baseUrlOf, auth, keys: given, headers = {} }: ProviderOptions, ownKeys = false): Provider {
  const changing = !Array.isArray(given)
  const credentials = changing ? (given as Credentials) : fixedCredentials(given)
  let builtFor = credentials.version
  const own = new WeakMap<Credentials, Provider>()
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
  const provider: Provider = {
    id,
    ownKeys,
    get keyCount() {
      return Math.max(1, credentials.keys.length)
    },
    get keysVersion() {
      return credentials.version
    },
    worked: (keyIndex, keysVersion) => credentials.worked(keyIndex, keysVersion),
    for(organisation) {
      const theirs = credentials.of?.(organisation)
      if (!theirs) return provider
      let made = own.get(theirs)
      if (!made) {
        made = createProvider({ id, baseUrlOf, auth, keys: theirs, headers }, true)
        own.set(theirs, made)
      }
      return made
    },
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
      if (builtFor !== credentials.version) {
        built.clear()
        builtFor = credentials.version
      }
      const key = `${wire} ${keyIndex} ${streamed}`
      let made = built.get(key)
      if (!made) {
        const { keys } = credentials
        // A place that is gone since it was chosen: the list has become shorter meanwhile.
        const secret = keys[keyIndex] ?? keys[0]
        if (secret === undefined && changing)
          throw new GatewayError('upstream-credential', `No credential of the provider \`${id}\` can be read at the moment.`, {
            unsent: true,
          })
        made = { 'content-type': 'application/json', accept: streamed ? 'text/event-stream' : 'application/json' }
        if (wire === 'anthropic-messages') made['anthropic-version'] = '2023-06-01'
        if (secret !== undefined) made[auth.header] = (auth.prefix ?? '') + secret
        for (const [name, value] of Object.entries(headers)) made[name.toLowerCase()] = value
        built.set(key, made)
      }
      return made
    },
    scrubbed: (text) => credentials.known.reduce((clean, key) => (key.length >= 6 ? clean.replaceAll(key, '***') : clean), text),
  }
  return provider
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
