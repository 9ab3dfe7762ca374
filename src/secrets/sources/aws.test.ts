import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wrongSignature } from '../fixtures/aws-signature.ts'
import { type Answer, type Asked, fakeServer } from '../fixtures/fake-server.ts'
import { read } from '../fixtures/read.ts'
import { createSecrets } from '../secrets.ts'

const KEYS = { AKIDEXAMPLE: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', ASIATEMP: 'temporary-secret' }

/** Secrets Manager and Parameter Store on one port, told apart by the target. */
function aws(asked: Asked): Answer {
  const target = asked.headers['x-amz-target'] ?? ''
  const service = target.startsWith('AmazonSSM') ? 'ssm' : 'secretsmanager'
  const wrong = wrongSignature(asked, KEYS, service)
  if (wrong)
    return { status: 400, body: { __type: `com.amazon.coral.service#${wrong}`, message: `about ${asked.headers['authorization']}` } }
  if (asked.headers['content-type'] !== 'application/x-amz-json-1.1') return { status: 400, body: { __type: 'SerializationException' } }
  const { SecretId, Name, WithDecryption } = JSON.parse(asked.body)
  if (target === 'secretsmanager.GetSecretValue') {
    if (SecretId === 'prod/openai') return { body: { Name: SecretId, SecretString: '{"key":"sk-aws"}', VersionId: 'v-1' } }
    if (SecretId === 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:openai-AbCdEf')
      return { body: { SecretBinary: Buffer.from('sk-binary').toString('base64'), VersionId: 'v-2' } }
    return { status: 400, body: { __type: 'ResourceNotFoundException', Message: "Secrets Manager can't find the specified secret." } }
  }
  if (target === 'AmazonSSM.GetParameter' && WithDecryption === true && ['/llm/openai', 'flat'].includes(Name))
    return { body: { Parameter: { Name, Type: 'SecureString', Value: `sk-ssm of ${Name}`, Version: 4 } } }
  return { status: 400, body: { __type: 'ParameterNotFound' } }
}

const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: KEYS.AKIDEXAMPLE, AWS_REGION: 'eu-west-1' }

describe('aws: references', () => {
  test('Secrets Manager and Parameter Store, by name and by ARN, with signatures that hold', async () => {
    await using server = await fakeServer(aws)
    const settings = { env, aws: { endpoint: server.url } }
    assert.equal(await read('aws:sm/prod/openai#key', settings), 'sk-aws')
    assert.equal(await read('aws:sm/prod/openai', settings), '{"key":"sk-aws"}')
    assert.equal(await read('aws:arn:aws:secretsmanager:eu-west-1:123456789012:secret:openai-AbCdEf', settings), 'sk-binary')
    assert.equal(await read('aws:ssm/llm/openai', settings), 'sk-ssm of /llm/openai')
    assert.equal(await read('aws:ssm/flat', settings), 'sk-ssm of flat')
    assert.equal(await read('aws:arn:aws:ssm:eu-west-1:123456789012:parameter/llm/openai', settings), 'sk-ssm of /llm/openai')
    assert.equal(await read('aws:arn:aws:ssm:eu-west-1:123456789012:parameter/flat', settings), 'sk-ssm of flat')
  })

  test('a value is put over the one before, beside the other members, or where nothing was', async () => {
    const put: [string, Record<string, unknown>][] = []
    await using server = await fakeServer((asked) => {
      const target = asked.headers['x-amz-target'] ?? ''
      const body = JSON.parse(asked.body) as Record<string, unknown>
      if (!/Put|Create/.test(target) || wrongSignature(asked, KEYS, target.startsWith('AmazonSSM') ? 'ssm' : 'secretsmanager'))
        return aws(asked)
      if (target.endsWith('PutSecretValue') && body['SecretId'] === 'fresh')
        return { status: 400, body: { __type: 'ResourceNotFoundException' } }
      const { ClientRequestToken, ...rest } = body
      if (target.startsWith('secretsmanager')) assert.match(String(ClientRequestToken), /^[0-9a-f-]{36}$/)
      put.push([target, rest])
      return { body: {} }
    })
    const secrets = createSecrets({ env, aws: { endpoint: server.url }, http: { backoffMs: 1 } })
    await secrets.write('aws:sm/prod/openai#other', 'sk-1')
    await secrets.write('aws:sm/fresh', 'sk-2')
    await secrets.write('aws:ssm/keys/one', 'sk-3')
    assert.deepEqual(put, [
      ['secretsmanager.PutSecretValue', { SecretId: 'prod/openai', SecretString: '{"key":"sk-aws","other":"sk-1"}' }],
      ['secretsmanager.CreateSecret', { Name: 'fresh', SecretString: 'sk-2' }],
      ['AmazonSSM.PutParameter', { Name: '/keys/one', Value: 'sk-3', Type: 'SecureString', Overwrite: true }],
    ])
    await secrets.close()
  })

  test('what is not there, and credentials that are not taken, are told without them', async () => {
    await using server = await fakeServer(aws)
    const settings = { env, aws: { endpoint: server.url } }
    assert.match(await read('aws:sm/absent', settings), /^unset: .*ResourceNotFoundException → check the name/)
    assert.match(await read('aws:ssm/absent', settings), /^unset: .*ParameterNotFound/)
    const told = await read('aws:sm/prod/openai', { ...settings, env: { ...env, AWS_SECRET_ACCESS_KEY: 'another-canary' } })
    assert.match(told, /^refused: .*SignatureDoesNotMatch/)
    assert.doesNotMatch(told, /canary|AKID/)
    assert.match(
      await read('aws:sm/x', { env: { ...env, AWS_REGION: '' }, aws: { endpoint: server.url } }),
      /^malformed: the AWS region is not known/,
    )
  })

  test('instance metadata, version 2: a token first, then the role; temporary credentials are sent and signed', async () => {
    await using server = await fakeServer(aws)
    await using metadata = await fakeServer(({ method, path, headers }) => {
      if (method === 'PUT' && path === '/latest/api/token' && headers['x-aws-ec2-metadata-token-ttl-seconds']) return { body: 'imds-token' }
      if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { status: 401, body: '' }
      if (path === '/latest/meta-data/iam/security-credentials/') return { body: 'my-role' }
      if (path !== '/latest/meta-data/iam/security-credentials/my-role') return { status: 404, body: '' }
      const Expiration = new Date(Date.now() + 3_600_000).toISOString()
      return { body: { Code: 'Success', AccessKeyId: 'ASIATEMP', SecretAccessKey: KEYS.ASIATEMP, Token: 'session-1', Expiration } }
    })
    const own = { AWS_REGION: 'eu-west-1', AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }
    assert.equal(await read('aws:sm/prod/openai#key', { env: own, aws: { endpoint: server.url } }), 'sk-aws')
    assert.equal(server.asked[0]?.headers['x-amz-security-token'], 'session-1')
    assert.match(server.asked[0]?.headers['authorization'] ?? '', /x-amz-security-token/)
  })

  test('the container endpoint, with its token from a file', async () => {
    await using server = await fakeServer(aws)
    await using container = await fakeServer(({ headers }) =>
      headers['authorization'] === 'pod-token'
        ? {
            body: {
              AccessKeyId: 'ASIATEMP',
              SecretAccessKey: KEYS.ASIATEMP,
              Token: 't',
              Expiration: new Date(Date.now() + 3_600_000).toISOString(),
            },
          }
        : { status: 401, body: {} },
    )
    const own = {
      AWS_REGION: 'eu-west-1',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/var/run/eks/token',
    }
    const settings = { env: own, readFile: () => 'pod-token\n', aws: { endpoint: server.url } }
    assert.equal(await read('aws:sm/prod/openai#key', settings), 'sk-aws')
    const elsewhere = { ...own, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://credentials.example.com/' }
    assert.match(
      await read('aws:sm/prod/openai#key', { ...settings, env: elsewhere }),
      /^malformed: .*neither HTTPS nor an address of this host/,
    )
  })

  test('web identity: the token of the file goes to STS, for the role', async () => {
    await using server = await fakeServer(aws)
    await using sts = await fakeServer(({ method, headers, body }) => {
      const form = new URLSearchParams(body)
      const right =
        method === 'POST' &&
        headers['content-type'] === 'application/x-www-form-urlencoded' &&
        form.get('Action') === 'AssumeRoleWithWebIdentity' &&
        form.get('Version') === '2011-06-15' &&
        form.get('RoleArn') === 'arn:aws:iam::123456789012:role/signalbox' &&
        form.get('WebIdentityToken') === 'oidc-token'
      if (!right) return { status: 400, body: '<ErrorResponse/>' }
      return {
        headers: { 'content-type': 'text/xml' },
        body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
          <SessionToken>session-2</SessionToken><SecretAccessKey>${KEYS.ASIATEMP}</SecretAccessKey>
          <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration><AccessKeyId>ASIATEMP</AccessKeyId>
          </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      }
    })
    const own = {
      AWS_REGION: 'eu-west-1',
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/signalbox',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token',
      AWS_ENDPOINT_URL_STS: sts.url,
    }
    const settings = { env: own, readFile: () => 'oidc-token', aws: { endpoint: server.url } }
    assert.equal(await read('aws:sm/prod/openai#key', settings), 'sk-aws')
    assert.equal(server.asked[0]?.headers['x-amz-security-token'], 'session-2')
  })
})
