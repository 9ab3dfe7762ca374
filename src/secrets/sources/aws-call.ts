/** A signed call of one of AWS's JSON services. */
import { textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import { awsCredentials } from './aws-credentials.ts'
import type { SourceContext } from './context.ts'

export interface AwsOptions {
  /** Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, or the ARN's own. */
  readonly region?: string | undefined
  /** In place of `https://<service>.<region>.amazonaws.com`: a VPC endpoint. `{service}` and `{region}` are filled in. */
  readonly endpoint?: string | undefined
}

export type AwsService = keyof typeof services

export interface AwsCall {
  readonly service: AwsService
  /** Default: the usual one. */
  readonly region?: string | undefined
  /** `x-amz-target`. */
  readonly action: string
  /** JSON. */
  readonly body: string
}

const services = {
  secretsmanager: { who: 'AWS Secrets Manager', variable: 'AWS_ENDPOINT_URL_SECRETS_MANAGER' },
  ssm: { who: 'AWS Systems Manager', variable: 'AWS_ENDPOINT_URL_SSM' },
  kms: { who: 'AWS KMS', variable: 'AWS_ENDPOINT_URL_KMS' },
} as const

/** The answer's JSON. Rejects with a SecretError, `refused` where AWS says 400. */
export function awsCaller(options: AwsOptions, context: SourceContext): (call: AwsCall) => Promise<unknown> {
  const { asker, env, now } = context
  const usualRegion = (): string | undefined => options.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined
  const urlOf = (service: string, region: string): string =>
    options.endpoint?.replaceAll('{service}', service).replaceAll('{region}', region) ??
    `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  const credentials = awsCredentials(() => {
    const own = env['AWS_ENDPOINT_URL_STS']
    return own ?? urlOf('sts', usualRegion() ?? 'us-east-1')
  }, context)

  return async ({ service, region = usualRegion(), action, body }) => {
    if (region === undefined) throw new SecretError('malformed', 'the AWS region is not known', 'set `secrets.aws.region` or AWS_REGION')
    const { who, variable } = services[service]
    const url = new URL(env[variable] ?? urlOf(service, region))
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
        who,
        url: url.origin + path,
        method: 'POST',
        headers: signed.headers,
        body,
        codeOf: (told) => textAt(told, '__type')?.replace(/^.*#/, ''),
        busy: ({ status, text }) => status === 400 && /"__type"\s*:\s*"[^"]*Throttling/.test(text),
      })
    } catch (error) {
      // Expired or taken back: the next call gets new ones.
      if (error instanceof SecretError && error.fault === 'refused') credentials.drop()
      throw error
    }
  }
}
