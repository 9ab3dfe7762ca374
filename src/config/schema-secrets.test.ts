import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretsConfigOf, secrets as section } from './schema-secrets.ts'

const parse = (written: unknown) => section.safeParse(written)
const problem = (written: unknown): string => parse(written).error?.issues[0]?.message ?? 'none'

test('an empty section has its defaults', () => {
  const config = secretsConfigOf(section.parse(undefined))
  assert.deepEqual(
    { ...config },
    {
      allowPlaintext: false,
      masterKey: undefined,
      previousMasterKeys: [],
      rereadMs: 300_000,
      keepMs: 86_400_000,
      overlapMs: 3_600_000,
      vault: undefined,
      aws: undefined,
      gcp: undefined,
      azure: undefined,
      kubernetes: undefined,
    },
  )
})

test('rotation may be rarer than a timer can wait, but not a matter of seconds', () => {
  assert.equal(secretsConfigOf(section.parse({ rotate: { every: '30d' } })).renewDataKeysMs, 30 * 86_400_000)
  assert.match(problem({ rotate: { every: '1s' } }), /too often/)
  assert.match(problem({ rotate: { every: '99999d' } }), /too long/)
  assert.match(problem({ reread: '10ms' }), /too often/)
})

test('what opens the other secrets is a reference to what is at hand, and is not repeated', () => {
  for (const written of [
    { masterKey: 'canary-plain' },
    { masterKey: 'vault:kv/x#canary' },
    { previousMasterKeys: ['canary'] },
    { vault: { url: 'https://v:8200', token: 'hvs.canary' } },
    { vault: { url: 'https://v:8200', appRole: { roleId: 'env:A', secretId: 'canary' } } },
    { azure: { clientSecret: 'canary' } },
    { gcp: { credentials: '{"private_key":"canary"}' } },
  ]) {
    assert.match(problem(written), /^not a reference\nwrite/)
    assert.doesNotMatch(problem(written), /canary/)
  }
})

test('Vault has one way to log in; a token from the environment when none is named', () => {
  const vault = { url: 'https://vault:8200' }
  assert.deepEqual(secretsConfigOf(section.parse({ vault })).vault, { ...vault, auth: { token: 'env:VAULT_TOKEN' } })
  assert.deepEqual(secretsConfigOf(section.parse({ vault: { ...vault, kubernetes: { role: 'box' } } })).vault?.auth, {
    kubernetes: { role: 'box', mount: 'kubernetes' },
  })
  const appRole = { roleId: 'env:A', secretId: 'file:/b' }
  assert.deepEqual(secretsConfigOf(section.parse({ vault: { ...vault, appRole, kv: 1 } })).vault, {
    ...vault,
    kv: 1,
    auth: { appRole: { ...appRole, mount: 'approle' } },
  })
  assert.match(problem({ vault: { ...vault, token: 'env:T', appRole } }), /several ways to log in/)
})

test('a master key may be the key of a KMS, which is named as that KMS names it', () => {
  for (const masterKey of [
    'aws-kms:alias/signalbox',
    'aws-kms:arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555',
    'aws-kms:arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/team/signalbox',
    'aws-kms:arn:aws:kms:eu-west-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef',
    'gcp-kms:projects/acme/locations/global/keyRings/gateways/cryptoKeys/signalbox',
    'azure-kms:my-vault/signalbox',
    'azure-kms:my-vault/signalbox@0123456789abcdef',
    'vault-transit:transit/signalbox',
    'vault-transit:team/transit/signalbox',
  ])
    assert.deepEqual(secretsConfigOf(section.parse({ masterKey, previousMasterKeys: [masterKey] })).previousMasterKeys, [masterKey])
  for (const [masterKey, expected] of [
    ['aws-kms:canary', /^not a key of AWS KMS\nwrite `aws-kms:ARN`/],
    ['aws-kms:arn:aws:s3:eu-west-1:123456789012:canary', /^not a key of AWS KMS/],
    ['gcp-kms:projects/acme/canary', /^not a key of Google Cloud KMS\n/],
    ['gcp-kms:projects/a/locations/l/keyRings/r/cryptoKeys/canary/cryptoKeyVersions/1', /without a version/],
    ['azure-kms:canary', /^not a key in Azure Key Vault\n/],
    ['vault-transit:canary', /^not a key of Vault's transit engine\n/],
    ['vault-transit:transit/../canary', /^not a key of Vault's transit engine\n/],
    ['gcp-kms:', /^not a reference/],
    ['kms:canary', /^not a reference/],
  ] as const)
    for (const written of [{ masterKey }, { previousMasterKeys: [masterKey] }]) {
      assert.match(problem(written), expected)
      assert.doesNotMatch(problem(written), /canary/)
    }
})
