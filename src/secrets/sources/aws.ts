/** `aws:sm/NAME`, `aws:ssm/NAME` and `aws:ARN`: AWS Secrets Manager and Systems Manager Parameter Store. */
import { randomUUID } from 'node:crypto'
import type { SecretReference } from '../../core/secret-reference.ts'
import { at, textAt } from '../http.ts'
import { fieldOf, SecretError, type SecretReading, type SecretSource, withField } from '../source.ts'
import { type AwsOptions, awsCaller } from './aws-call.ts'
import type { SourceContext } from './context.ts'

interface Where {
  readonly service: 'secretsmanager' | 'ssm'
  readonly id: string
  readonly region: string | undefined
}

export function awsSource(options: AwsOptions, context: SourceContext): SecretSource {
  const call = awsCaller(options, context)
  const ask = async ({ service, region }: Where, action: string, body: string): Promise<unknown> => {
    try {
      return await call({ service, region, action, body })
    } catch (error) {
      throw absentOf(error)
    }
  }

  async function read(reference: SecretReference): Promise<SecretReading> {
    const where = whereOf(reference.name)
    if (where.service === 'ssm') {
      const body = JSON.stringify({ Name: where.id, WithDecryption: true })
      const told = await ask(where, 'AmazonSSM.GetParameter', body)
      const version = at(told, 'Parameter', 'Version')
      return {
        value: fieldOf(text(textAt(told, 'Parameter', 'Value')), reference.field),
        version: version === undefined ? undefined : String(version),
      }
    }
    const told = await ask(where, 'secretsmanager.GetSecretValue', JSON.stringify({ SecretId: where.id }))
    const binary = textAt(told, 'SecretBinary')
    const value = textAt(told, 'SecretString') ?? (binary && Buffer.from(binary, 'base64').toString('utf8'))
    return { value: fieldOf(text(value), reference.field), version: textAt(told, 'VersionId') }
  }

  async function write({ name, field }: SecretReference, value: string): Promise<void> {
    const where = whereOf(name)
    const text = await withField(value, field, async () => (await read({ scheme: 'aws', name })).value)
    if (where.service === 'ssm') {
      const body = JSON.stringify({ Name: where.id, Value: text, Type: 'SecureString', Overwrite: true })
      return void (await ask(where, 'AmazonSSM.PutParameter', body))
    }
    const version = { SecretString: text, ClientRequestToken: randomUUID() }
    try {
      await ask(where, 'secretsmanager.PutSecretValue', JSON.stringify({ SecretId: where.id, ...version }))
    } catch (error) {
      if (!(error instanceof SecretError && error.fault === 'unset') || where.id.startsWith('arn:')) throw error
      await ask(where, 'secretsmanager.CreateSecret', JSON.stringify({ Name: where.id, ...version }))
    }
  }

  return { scheme: 'aws', read, write }
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
