/** Calls of HashiCorp Vault and OpenBao, as whoever we are to it. */
import { at, failed, parsed } from '../http.ts'
import type { SecretError } from '../source.ts'
import type { SourceContext } from './context.ts'
import { type VaultAuth, vaultToken } from './vault-token.ts'

export interface VaultOptions {
  readonly url: string
  readonly auth: VaultAuth
  /** Sent as `X-Vault-Namespace`. */
  readonly namespace?: string | undefined
  /** Certificate authorities, as a file in PEM. */
  readonly caFile?: string | undefined
  /** Of the KV engine. Default: Vault is asked. */
  readonly kv?: 1 | 2 | undefined
}

export interface VaultCaller {
  /** A path below `/v1/`. Writes when there is a body. */
  call(path: string, body?: unknown): Promise<unknown>
  stop(): void
}

export function vaultCaller(options: VaultOptions, context: SourceContext): VaultCaller {
  const { asker } = context
  const base = `${options.url.replace(/\/+$/, '')}/v1`
  const tokens = vaultToken(options, base, context)

  /** With one more try under a new token, when the old one is not taken any more. */
  async function call(path: string, body?: unknown): Promise<unknown> {
    const ca = options.caFile === undefined ? undefined : await context.readFile(options.caFile)
    const once = async (token: string): Promise<{ json: unknown } | { error: SecretError }> => {
      const request = {
        who: 'Vault',
        url: `${base}/${path.split('/').map(encodeURIComponent).join('/')}`,
        method: body === undefined ? ('GET' as const) : ('PUT' as const),
        headers: { ...tokens.headers, 'x-vault-token': token, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ca,
        codeOf: (told: unknown) => at(told, 'errors', '0'),
      }
      const told = await asker.ask(request)
      // What has been written is often answered with nothing.
      if (told.status === 204) return { json: undefined }
      return told.status === 200 ? { json: parsed(request, told.text) } : { error: failed(request, told) }
    }
    let answer = await once(await tokens.get())
    if ('error' in answer && answer.error.fault === 'refused' && tokens.renewable) {
      tokens.drop()
      answer = await once(await tokens.get())
    }
    if ('error' in answer) throw answer.error
    return answer.json
  }

  return { call, stop: tokens.stop }
}
