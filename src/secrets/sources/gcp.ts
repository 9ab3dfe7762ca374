/** `gcp:PROJECT/NAME[@VERSION]`: Google Secret Manager. */
import type { SecretReference } from '../../core/secret-reference.ts'
import { at, textAt } from '../http.ts'
import { fieldOf, SecretError, type SecretReading, type SecretSource, withField } from '../source.ts'
import { type Held, held, type SourceContext } from './context.ts'

export interface GcpOptions {
  /** A reference to a service account's key, as JSON. Default: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, else the metadata server. */
  readonly credentials?: string | undefined
  /** In place of `https://<service>.googleapis.com`; `{service}` is filled in. */
  readonly endpoint?: string | undefined
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const MARGIN_MS = 60_000

export function gcpSource(options: GcpOptions, context: SourceContext): SecretSource {
  const token = gcpToken(options, context)
  return {
    scheme: 'gcp',
    read: (reference) => read(reference, options, token, context),
    write: (reference, value) => write(reference, value, options, token, context),
  }
}

export const gcpToken = (options: GcpOptions, context: SourceContext): Held<string> => held(() => tokenOf(options, context), context.now)

/** `location`: of a regional secret, which has an endpoint of its own. */
export const gcpHost = ({ endpoint }: GcpOptions, service: 'secretmanager' | 'cloudkms', location?: string): string =>
  endpoint?.replaceAll('{service}', service).replace(/\/+$/, '') ??
  `https://${service}.${location === undefined ? '' : `${location}.rep.`}googleapis.com`

async function read(
  { name, field }: SecretReference,
  options: GcpOptions,
  token: Held<string>,
  { asker }: SourceContext,
): Promise<SecretReading> {
  const path = pathOf(name)
  const [, location] = /\/locations\/([^/]+)\//.exec(path) ?? []
  let told: unknown
  try {
    told = await asker.json({
      who: 'Google Secret Manager',
      url: `${gcpHost(options, 'secretmanager', location)}/v1/${path}:access`,
      headers: { authorization: `Bearer ${await token.get()}` },
      codeOf: (answer) => textAt(answer, 'error', 'status'),
    })
  } catch (error) {
    if (error instanceof SecretError && error.fault === 'refused') token.drop()
    throw error
  }
  const bytes = Buffer.from(textAt(told, 'payload', 'data') ?? '', 'base64')
  const checksum = at(told, 'payload', 'dataCrc32c')
  if (checksum !== undefined && String(checksum) !== String(crc32c(bytes)))
    throw new SecretError('unreachable', 'the answer of Google Secret Manager does not match its checksum', 'look at what stands between')
  const value = bytes.toString('utf8').trim()
  if (value === '') throw new SecretError('unset', 'the secret in Google Secret Manager is empty', 'add a version with a value')
  return { value: fieldOf(value, field), version: textAt(told, 'name')?.split('/').at(-1) }
}

/** A new version; of a secret that is not there yet, the first. */
async function write(
  { name, field }: SecretReference,
  value: string,
  options: GcpOptions,
  token: Held<string>,
  context: SourceContext,
): Promise<void> {
  const secret = pathOf(name).replace(/\/versions\/.*$/, '')
  const [, location] = /\/locations\/([^/]+)\//.exec(secret) ?? []
  const text = await withField(value, field, async () => (await read({ scheme: 'gcp', name: secret }, options, token, context)).value)
  const bytes = Buffer.from(text)
  const payload = { data: bytes.toString('base64'), dataCrc32c: String(crc32c(bytes)) }
  const post = async (path: string, body: object): Promise<unknown> =>
    await context.asker.json({
      who: 'Google Secret Manager',
      url: `${gcpHost(options, 'secretmanager', location)}/v1/${path}`,
      method: 'POST',
      headers: { authorization: `Bearer ${await token.get()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      codeOf: (answer) => textAt(answer, 'error', 'status'),
    })
  const add = (): Promise<unknown> => post(`${secret}:addVersion`, { payload })
  try {
    await add().catch(async (error: unknown) => {
      if (!(error instanceof SecretError) || error.fault !== 'unset') throw error
      const [parent, id] = secret.split('/secrets/')
      await post(`${parent}/secrets?secretId=${id}`, location === undefined ? { replication: { automatic: {} } } : {})
      await add()
    })
  } catch (error) {
    if (error instanceof SecretError && error.fault === 'refused') token.drop()
    throw error
  }
}

function pathOf(name: string): string {
  if (name.startsWith('projects/')) return name.includes('/versions/') ? name : `${name}/versions/latest`
  const [, project, secret, version = 'latest'] = /^([^/]+)\/([^@]+)(?:@(.+))?$/.exec(name) ?? []
  return `projects/${project}/secrets/${secret}/versions/${version}`
}

async function tokenOf({ credentials }: GcpOptions, context: SourceContext): Promise<{ value: string; until: number }> {
  const { env, asker, now } = context
  const file = env['GOOGLE_APPLICATION_CREDENTIALS']
  const reference = credentials ?? (file ? `file:${file}` : undefined)
  const told = reference === undefined ? await metadata(context) : await exchanged(await context.credential(reference), context)
  const value = textAt(told, 'access_token')
  if (value === undefined) throw new SecretError('refused', 'Google gave no access token', 'check the service account')
  return { value, until: now() + Math.max(1_000, Number(at(told, 'expires_in') ?? 0) * 1_000 - MARGIN_MS) }

  function metadata({ env: own }: SourceContext): Promise<unknown> {
    const host = own['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
    return asker.json({
      who: 'The Google metadata server',
      url: `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`,
      headers: { 'metadata-flavor': 'Google' },
      attempts: 2,
      timeoutMs: 2_000,
    })
  }
}

/** A JWT that the service account signs, for an access token. */
async function exchanged(text: string, { asker, now }: SourceContext): Promise<unknown> {
  let account: unknown
  try {
    account = JSON.parse(text)
  } catch {
    account = undefined
  }
  const email = textAt(account, 'client_email')
  const privateKey = textAt(account, 'private_key')
  const audience = textAt(account, 'token_uri') ?? 'https://oauth2.googleapis.com/token'
  if (email === undefined || privateKey === undefined)
    throw new SecretError(
      'malformed',
      "the Google credentials are not a service account's key",
      'give the JSON file with `client_email` and `private_key`',
    )
  const seconds = Math.floor(now() / 1_000)
  const { importPKCS8, SignJWT } = await import('jose')
  let assertion: string
  try {
    assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({
        alg: 'RS256',
        typ: 'JWT',
        ...(textAt(account, 'private_key_id') && { kid: textAt(account, 'private_key_id') }),
      })
      .setIssuer(email)
      .setAudience(audience)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 3_600)
      .sign(await importPKCS8(privateKey, 'RS256'))
  } catch {
    throw new SecretError('malformed', 'the private key in the Google credentials cannot be used', 'download the key again')
  }
  return await asker.json({
    who: "Google's token service",
    url: audience,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
    codeOf: (answer) => textAt(answer, 'error'),
  })
}

const CASTAGNOLI = 0x82f63b78

/** CRC-32C, as Google sends it beside the data. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
