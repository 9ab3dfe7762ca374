/** `aws:sm/NAME`, `aws:ssm/NAME` and `aws:ARN`: AWS Secrets Manager and Systems Manager Parameter Store. */
import type { SecretReference } from '../../core/secret-reference.ts'
import { at, textAt } from '../http.ts'
import { fieldOf, SecretError, type SecretReading, type SecretSource } from '../source.ts'
import { awsCredentials } from './aws-credentials.ts'
import type { SourceContext } from './context.ts'

export interface AwsOptions {
  /** Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, or the ARN's own. */
  readonly region?: string | undefined
  /** In place of `https://<service>.<region>.amazonaws.com`: a VPC endpoint. `{service}` and `{region}` are filled in. */
  readonly endpoint?: string | undefined
}

interface Where {
  readonly service: 'secretsmanager' | 'ssm'
  readonly id: string
  readonly region: string | undefined
}

export function awsSource(options: AwsOptions, context: SourceContext): SecretSource {
  const { asker, env, now } = context
  const usualRegion = (): string | undefined => options.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined
  const urlOf = (service: string, region: string): string =>
    options.endpoint?.replaceAll('{service}', service).replaceAll('{region}', region) ??
    `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  const credentials = awsCredentials(() => {
    const own = env['AWS_ENDPOINT_URL_STS']
    return own ?? urlOf('sts', usualRegion() ?? 'us-east-1')
  }, context)

  async function call({ service, region = usualRegion() }: Where, action: string, body: string): Promise<unknown> {
    if (region === undefined) throw new SecretError('malformed', 'the AWS region is not known', 'set `secrets.aws.region` or AWS_REGION')
    const url = new URL(env[`AWS_ENDPOINT_URL_${service === 'ssm' ? 'SSM' : 'SECRETS_MANAGER'}`] ?? urlOf(service, region))
    const [{ SignatureV4 }, { Sha256 }] = await Promise.all([import('@smithy/signature-v4'), import('@aws-crypto/sha256-js')])
    const signer = new SignatureV4({ service, region, credentials: () => credentials.get(), sha256: Sha256 })
    const path = url.pathname === '' ? '/' : url.pathname
    const signed = await signer.sign(
      {
        method: 'POST',
        protocol: url.protocol,
        hostname: url.hostname,
        path,
        headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': action },
        body,
      },
      { signingDate: new Date(now()) },
    )
    try {
      return await asker.json({
        who: service === 'ssm' ? 'AWS Systems Manager' : 'AWS Secrets Manager',
        url: url.origin + path,
        method: 'POST',
        headers: signed.headers,
        body,
        codeOf: (told) => textAt(told, '__type')?.replace(/^.*#/, ''),
      })
    } catch (error) {
      // Expired or taken back: the next reading gets new ones.
      if (error instanceof SecretError && error.fault === 'refused') credentials.drop()
      throw absentOf(error)
    }
  }

  async function read(reference: SecretReference): Promise<SecretReading> {
    const where = whereOf(reference.name)
    if (where.service === 'ssm') {
      const told = await call(where, 'AmazonSSM.GetParameter', JSON.stringify({ Name: where.id, WithDecryption: true }))
      const version = at(told, 'Parameter', 'Version')
      return {
        value: fieldOf(text(textAt(told, 'Parameter', 'Value')), reference.field),
        version: version === undefined ? undefined : String(version),
      }
    }
    const told = await call(where, 'secretsmanager.GetSecretValue', JSON.stringify({ SecretId: where.id }))
    const binary = textAt(told, 'SecretBinary')
    const value = textAt(told, 'SecretString') ?? (binary && Buffer.from(binary, 'base64').toString('utf8'))
    return { value: fieldOf(text(value), reference.field), version: textAt(told, 'VersionId') }
  }

  return { scheme: 'aws', read }
}

function text(value: string | undefined): string {
  const trimmed = value?.trim()
  if (trimmed) return trimmed
  throw new SecretError('unset', 'the secret in AWS is empty', 'put a value into it')
}

/** AWS says with 400 what others say with 404. */
function absentOf(error: unknown): unknown {
  if (error instanceof SecretError && error.fault === 'refused' && /, (ResourceNotFoundException|ParameterNotFound)$/.test(error.message))
    return new SecretError('unset', error.message, 'check the name and the region')
  return error
}

function whereOf(name: string): Where {
  const [, service, region, rest = ''] = /^arn:[^:]+:(secretsmanager|ssm):([^:]+):\d+:(.+)$/.exec(name) ?? []
  if (service === 'secretsmanager') return { service, id: name, region }
  // Parameters are asked for by name; an ARN's lacks the slash in front of paths.
  if (service === 'ssm') return { service, id: rest.slice('parameter'.length).replace(/^\/(?=[^/]+$)/, ''), region }
  if (name.startsWith('ssm/')) return { service: 'ssm', id: parameterOf(name.slice(4)), region: undefined }
  return { service: 'secretsmanager', id: name.slice(3), region: undefined }
}

/** Names with slashes in them are paths, and begin with one. */
const parameterOf = (name: string): string => (name.includes('/') && !name.startsWith('/') ? `/${name}` : name)
