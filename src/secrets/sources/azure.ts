/** `azure:VAULT/NAME[@VERSION]`: Azure Key Vault. */
import type { SecretReference } from '../../core/secret-reference.ts'
import { at, textAt } from '../http.ts'
import { fieldOf, SecretError, type SecretReading, type SecretSource } from '../source.ts'
import { type Held, held, type SourceContext } from './context.ts'

export interface AzureOptions {
  /** Default: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`. */
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  /** A reference. Default: `AZURE_CLIENT_SECRET`; without one, workload identity, else the managed identity of the host. */
  readonly clientSecret?: string | undefined
  /** Behind the vault's name. Default `vault.azure.net`. */
  readonly suffix?: string | undefined
  /** In place of `https://<vault>.<suffix>`; `{vault}` is filled in. */
  readonly endpoint?: string | undefined
}

export const API_VERSION = '7.4'
const AUTHORITY = 'https://login.microsoftonline.com'
const INSTANCE = 'http://169.254.169.254'
const MARGIN_MS = 300_000

export function azureSource(options: AzureOptions, context: SourceContext): SecretSource {
  const token = azureToken(options, context)
  return { scheme: 'azure', read: (reference) => read(reference, options, token, context) }
}

const SUFFIX = 'vault.azure.net'

export const azureToken = (options: AzureOptions, context: SourceContext): Held<string> =>
  held(() => tokenOf(options, `https://${options.suffix ?? SUFFIX}`, context), context.now)

export const azureBase = ({ endpoint = 'https://{vault}.{suffix}', suffix = SUFFIX }: AzureOptions, vault: string): string =>
  endpoint.replaceAll('{vault}', vault).replaceAll('{suffix}', suffix).replace(/\/+$/, '')

async function read(
  { name, field }: SecretReference,
  options: AzureOptions,
  token: Held<string>,
  { asker, now }: SourceContext,
): Promise<SecretReading> {
  const [, vault = '', secret = '', version] = /^([^/]+)\/([^@]+)(?:@(.+))?$/.exec(name) ?? []
  let told: unknown
  try {
    told = await asker.json({
      who: 'Azure Key Vault',
      url: `${azureBase(options, vault)}/secrets/${secret}${version === undefined ? '' : `/${version}`}?api-version=${API_VERSION}`,
      headers: { authorization: `Bearer ${await token.get()}` },
      codeOf: (answer) => textAt(answer, 'error', 'code'),
    })
  } catch (error) {
    if (error instanceof SecretError && error.fault === 'refused') token.drop()
    throw error
  }
  const value = textAt(told, 'value')?.trim()
  const expires = at(told, 'attributes', 'exp')
  if (at(told, 'attributes', 'enabled') === false || (typeof expires === 'number' && expires * 1_000 <= now()))
    throw new SecretError('unset', 'the secret in Azure Key Vault is disabled or has expired', 'enable it, or add a new version')
  if (!value) throw new SecretError('unset', 'the secret in Azure Key Vault is empty', 'add a version with a value')
  return {
    value: fieldOf(value, field),
    version: textAt(told, 'id')?.split('/').at(-1),
    ...(typeof expires === 'number' && { expiresAt: expires * 1_000 }),
  }
}

async function tokenOf(options: AzureOptions, resource: string, context: SourceContext): Promise<{ value: string; until: number }> {
  const told = await asked(options, resource, context)
  const value = textAt(told, 'access_token')
  if (value === undefined) throw new SecretError('refused', 'Azure gave no access token', 'check the identity')
  const seconds = Number(at(told, 'expires_in') ?? 0)
  return { value, until: context.now() + Math.max(1_000, seconds * 1_000 - MARGIN_MS) }
}

async function asked(options: AzureOptions, resource: string, { asker, env, credential }: SourceContext): Promise<unknown> {
  const tenant = options.tenantId ?? env['AZURE_TENANT_ID']
  const client = options.clientId ?? env['AZURE_CLIENT_ID']
  const secret = options.clientSecret ?? (env['AZURE_CLIENT_SECRET'] ? 'env:AZURE_CLIENT_SECRET' : undefined)
  const tokenFile = env['AZURE_FEDERATED_TOKEN_FILE']
  if (tenant && client && (secret !== undefined || tokenFile)) {
    const proof: Readonly<Record<string, string>> =
      secret !== undefined
        ? { client_secret: await credential(secret) }
        : {
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: await credential(`file:${tokenFile}`),
          }
    return await asker.json({
      who: 'Microsoft Entra',
      url: `${(env['AZURE_AUTHORITY_HOST'] ?? AUTHORITY).replace(/\/+$/, '')}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: client,
        scope: `${resource}/.default`,
        ...proof,
      }).toString(),
      codeOf: (answer) => textAt(answer, 'error'),
    })
  }
  const which = client ? `&client_id=${encodeURIComponent(client)}` : ''
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = env
  if (endpoint && header)
    return await asker.json({
      who: 'The managed identity endpoint',
      url: `${endpoint}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}${which}`,
      headers: { 'x-identity-header': header },
    })
  return await asker.json({
    who: 'The Azure metadata service',
    url: `${(env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? INSTANCE).replace(/\/+$/, '')}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(resource)}${which}`,
    headers: { metadata: 'true' },
    attempts: 2,
    timeoutMs: 2_000,
  })
}
