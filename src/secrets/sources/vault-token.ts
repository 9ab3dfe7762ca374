/** The token that Vault is asked with: given, or got by logging in; kept alive as long as Vault allows. */
import { at, textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import { type Held, held, type SourceContext } from './context.ts'
import type { VaultOptions } from './vault-call.ts'

export type VaultAuth =
  /** A reference: `env:` or `file:`. */
  | { readonly token: string }
  | { readonly kubernetes: { readonly role: string; readonly mount?: string | undefined; readonly tokenFile?: string | undefined } }
  /** `roleId` and `secretId` are references. */
  | { readonly appRole: { readonly roleId: string; readonly secretId: string; readonly mount?: string | undefined } }

export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** A given token whose life is not known is looked at again so often. */
const LOOK_AGAIN_MS = 300_000

export interface VaultToken extends Held<string> {
  readonly headers: Readonly<Record<string, string>>
  /** A refused one can be replaced. */
  readonly renewable: boolean
  stop(): void
}

export function vaultToken(options: VaultOptions, base: string, { asker, readFile, credential, now }: SourceContext): VaultToken {
  const { auth, namespace, caFile } = options
  const headers = { 'x-vault-request': 'true', ...(namespace !== undefined && { 'x-vault-namespace': namespace }) }
  const caOf = async (): Promise<string | undefined> => (caFile === undefined ? undefined : await readFile(caFile))
  let stopped = false

  async function login(): Promise<{ value: string; until: number }> {
    const { path, body } = await credentialsOf()
    const told = await asker.json({
      who: 'Vault',
      url: `${base}/auth/${path}/login`,
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ca: await caOf(),
      codeOf: (answer) => at(answer, 'errors', '0'),
    })
    const token = textAt(told, 'auth', 'client_token')
    if (token === undefined) throw new SecretError('refused', 'Vault gave no token at login', 'check the role')
    return { value: token, until: twoThirds(Number(at(told, 'auth', 'lease_duration')), now) }
  }

  async function credentialsOf(): Promise<{ path: string; body: Readonly<Record<string, string>> }> {
    if ('kubernetes' in auth) {
      const { role, mount = 'kubernetes', tokenFile = `${SERVICE_ACCOUNT}/token` } = auth.kubernetes
      return { path: mount, body: { role, jwt: await credential(`file:${tokenFile}`) } }
    }
    if ('appRole' in auth) {
      const { roleId, secretId, mount = 'approle' } = auth.appRole
      return { path: mount, body: { role_id: await credential(roleId), secret_id: await credential(secretId) } }
    }
    throw new SecretError('refused', 'Vault does not take the token', 'give another one')
  }

  /** A token that ends is prolonged on the way; when it can be read only, it is used as it is. */
  async function given(reference: string): Promise<{ value: string; until: number }> {
    const value = await credential(reference)
    const ask = { who: 'Vault', headers: { ...headers, 'x-vault-token': value }, ca: await caOf(), attempts: 1 }
    try {
      const told = await asker.json({ ...ask, url: `${base}/auth/token/lookup-self` })
      const seconds = Number(at(told, 'data', 'ttl'))
      if (at(told, 'data', 'renewable') === true && seconds > 0 && !stopped) {
        const renewed = await asker.json({ ...ask, url: `${base}/auth/token/renew-self`, method: 'PUT', body: '{}' })
        return { value, until: twoThirds(Number(at(renewed, 'auth', 'lease_duration')) || seconds, now) }
      }
    } catch {
      // The reading that follows tells whether the token is good.
    }
    return { value, until: now() + LOOK_AGAIN_MS }
  }

  const token = held('token' in auth ? () => given(auth.token) : login, now)
  return {
    get: token.get,
    drop: token.drop,
    headers,
    renewable: true,
    stop() {
      stopped = true
    },
  }
}

function twoThirds(seconds: number, now: () => number): number {
  // 0: it never ends.
  return now() + (seconds > 0 ? (seconds * 1_000 * 2) / 3 : LOOK_AGAIN_MS)
}
