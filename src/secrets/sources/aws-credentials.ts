/** Who we are to AWS, found as its own SDKs find it: environment, web identity, container endpoint, instance metadata. */
import { failed, textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import { type Held, held, type SourceContext } from './context.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

type Found = { readonly value: AwsCredentials; readonly until: number }

/** New ones are got so long before the old ones end. */
const MARGIN_MS = 300_000
/** What the environment says is looked at again. */
const STATIC_MS = 60_000
const CONTAINER = 'http://169.254.170.2'
const INSTANCE = 'http://169.254.169.254'

export const awsCredentials = (stsUrl: () => string, context: SourceContext): Held<AwsCredentials> =>
  held(() => find(stsUrl, context), context.now)

async function find(stsUrl: () => string, context: SourceContext): Promise<Found> {
  const { env, now } = context
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env
  if (id && secret)
    return { value: { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) }, until: now() + STATIC_MS }
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: role } = env
  if (tokenFile && role) return await webIdentity(stsUrl(), tokenFile, role, context)
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = env
  if (relative) return await container(`${CONTAINER}${relative}`, context)
  if (full) return await container(full, context)
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() !== 'true') return await instance(context)
  throw new SecretError(
    'refused',
    'there are no AWS credentials here',
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod or instance a role',
  )
}

async function webIdentity(url: string, tokenFile: string, role: string, { env, asker, credential, now }: SourceContext): Promise<Found> {
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env['AWS_ROLE_SESSION_NAME'] ?? 'signalbox',
    WebIdentityToken: await credential(`file:${tokenFile}`),
  }).toString()
  const request = {
    who: 'AWS STS',
    url,
    method: 'POST' as const,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/xml' },
    body,
  }
  const told = await asker.ask(request)
  if (told.status !== 200) throw failed(request, told)
  return foundIn((name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(told.text)?.[1], 'SessionToken', now)
}

async function container(url: string, { env, asker, credential, now }: SourceContext): Promise<Found> {
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
  const authorization = file ? await credential(`file:${file}`) : env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  if (!mayAsk(url))
    throw new SecretError(
      'malformed',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI is neither HTTPS nor an address of this host',
      'correct it: credentials would go over the network in the clear',
    )
  const told = await asker.json({ who: 'The AWS container endpoint', url, ...(authorization && { headers: { authorization } }) })
  return foundIn((name) => textAt(told, name), 'Token', now)
}

/** The rule of AWS's own SDKs: the hosts of ECS and EKS, loopback, or HTTPS. */
function mayAsk(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return (
    protocol === 'https:' ||
    ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]', 'localhost', '[::1]'].includes(hostname) ||
    /^127\./.test(hostname)
  )
}

async function instance({ env, asker, now }: SourceContext): Promise<Found> {
  const base = (env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? INSTANCE).replace(/\/+$/, '')
  const who = 'The EC2 metadata service'
  // Outside of EC2 nobody answers: that must not take long.
  const quick = { who, attempts: 2, timeoutMs: 1_000 }
  const text = async (request: { url: string; method?: 'PUT'; headers: Readonly<Record<string, string>> }): Promise<string> => {
    const told = await asker.ask({ ...quick, ...request })
    if (told.status !== 200)
      throw new SecretError(
        'refused',
        `${who} answered ${told.status}`,
        'give the instance a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      )
    return told.text.trim()
  }
  const token = await text({
    url: `${base}/latest/api/token`,
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' },
  })
  const headers = { 'x-aws-ec2-metadata-token': token }
  const roles = `${base}/latest/meta-data/iam/security-credentials/`
  const role = (await text({ url: roles, headers })).split('\n')[0] ?? ''
  const told = await asker.json({ ...quick, url: roles + encodeURIComponent(role), headers })
  return foundIn((name) => textAt(told, name), 'Token', now)
}

function foundIn(textOf: (name: string) => string | undefined, tokenName: string, now: () => number): Found {
  const accessKeyId = textOf('AccessKeyId')
  const secretAccessKey = textOf('SecretAccessKey')
  const sessionToken = textOf(tokenName)
  const expires = Date.parse(textOf('Expiration') ?? '')
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new SecretError('refused', 'AWS gave no credentials', 'check the role of the pod or instance')
  const until = Number.isNaN(expires) ? now() + STATIC_MS : Math.max(expires - MARGIN_MS, now() + 1_000)
  return { value: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }, until }
}
