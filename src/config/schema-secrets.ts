/** Where credentials come from: the built-in store, Vault, the clouds; how often they are read again and rotated. */
import { z } from 'zod'
import { masterKeyPattern, masterKeyProblem, masterKeyRemedy } from '../core/master-key-reference.ts'
import { parseDuration } from '../core/units.ts'
import { duration, longDuration } from './schema-parts.ts'

const atLeast = (ms: number, least: string) => (text: string, context: z.RefinementCtx) => {
  const given = parseDuration(text)
  if (given !== undefined && given < ms) context.addIssue({ code: 'custom', message: `too often\nwrite "${least}" or more` })
}

const referenceHelp = 'not a reference\nwrite `env:NAME` or `file:PATH`'
/** What opens the other secrets has to be at hand before them, and is never plain text. */
const reference = z.string({ error: referenceHelp }).regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, { error: referenceHelp })

const masterKeyHelp = `not a reference\n${masterKeyRemedy}`
const masterKey = z
  .string({ error: masterKeyHelp })
  .regex(masterKeyPattern, { error: masterKeyHelp })
  .superRefine((text, context) => {
    const problem = masterKeyProblem(text)
    if (problem && masterKeyPattern.test(text)) context.addIssue({ code: 'custom', message: `${problem.message}\n${problem.remedy}` })
  })

const name = z.string().min(1)
const url = z.url({ protocol: /^https?$/, error: 'not an http(s) URL\nwrite its address: `https://vault.example.com:8200`' })

const vault = z
  .strictObject({
    url: url.describe('Address of HashiCorp Vault or OpenBao.'),
    token: reference.optional().meta({ description: 'The token to read with, as a reference.', implied: '`env:VAULT_TOKEN`' }),
    kubernetes: z
      .strictObject({
        role: name.describe('The role to log in as.'),
        mount: name.default('kubernetes').describe('Where the auth method is mounted.'),
        tokenFile: name.optional().meta({ description: "The pod's token.", implied: "the service account's" }),
      })
      .optional()
      .describe("Log in with the pod's service account, in place of a token."),
    appRole: z
      .strictObject({
        roleId: reference.describe('The role id, as a reference.'),
        secretId: reference.describe('The secret id, as a reference.'),
        mount: name.default('approle').describe('Where the auth method is mounted.'),
      })
      .optional()
      .describe('Log in with an AppRole, in place of a token.'),
    namespace: name.optional().describe('The namespace, where Vault has them.'),
    caFile: name.optional().describe('Certificate authorities to trust in place of the usual ones: a file in PEM.'),
    kv: z.literal([1, 2]).optional().meta({ description: 'Version of the KV engine.', implied: 'Vault is asked' }),
  })
  .check((context) => {
    const { token, kubernetes, appRole } = context.value
    if ([token, kubernetes, appRole].filter((way) => way !== undefined).length > 1)
      context.issues.push({
        code: 'custom',
        input: undefined,
        message: 'has several ways to log in\nkeep one of `token`, `kubernetes` and `appRole`',
      })
  })
  .optional()
  .describe(
    'Where `vault:MOUNT/PATH#FIELD` references are read, and a `vault-transit:` master key is wrapped. Absent: `VAULT_ADDR` and `VAULT_TOKEN`.',
  )

const aws = z
  .strictObject({
    region: name.optional().meta({ description: 'The region.', implied: '`AWS_REGION`' }),
    endpoint: url
      .optional()
      .meta({ description: 'Another address, as of a VPC endpoint; `{service}` and `{region}` are filled in.', implied: "AWS's own" }),
  })
  .optional()
  .describe(
    "Where `aws:sm/NAME` and `aws:ssm/NAME` references are read, and an `aws-kms:` master key is wrapped. Credentials are found as AWS's own tools find them.",
  )

const gcp = z
  .strictObject({
    credentials: reference.optional().meta({
      description: "A service account's key, as a reference.",
      implied: '`GOOGLE_APPLICATION_CREDENTIALS`, else the metadata server',
    }),
    endpoint: url.optional().meta({
      description: 'Another address; `{service}` is filled in: `secretmanager` or `cloudkms`.',
      implied: "Google's own",
    }),
  })
  .optional()
  .describe('Where `gcp:PROJECT/NAME` references are read, and a `gcp-kms:` master key is wrapped.')

const azure = z
  .strictObject({
    tenantId: name.optional().meta({ description: 'The tenant.', implied: '`AZURE_TENANT_ID`' }),
    clientId: name.optional().meta({ description: 'The application, or the managed identity.', implied: '`AZURE_CLIENT_ID`' }),
    clientSecret: reference.optional().meta({
      description: "The application's secret, as a reference.",
      implied: '`AZURE_CLIENT_SECRET`, else workload or managed identity',
    }),
    suffix: name.default('vault.azure.net').describe("What stands behind a vault's name."),
    endpoint: url.optional().meta({ description: 'Another address; `{vault}` is filled in.', implied: "Azure's own" }),
  })
  .optional()
  .describe('Where `azure:VAULT/NAME` references are read, and an `azure-kms:` master key is wrapped.')

const kubernetes = z
  .strictObject({
    url: url.optional().meta({ description: 'The API server.', implied: "the pod's own" }),
    namespace: name.optional().meta({ description: 'The namespace of `k8s:NAME#KEY`.', implied: "the pod's own" }),
    serviceAccount: name.optional().meta({
      description: 'The directory with `token`, `ca.crt` and `namespace`.',
      implied: 'where Kubernetes mounts it',
    }),
  })
  .optional()
  .describe('Where `k8s:NAMESPACE/NAME#KEY` references are read.')

export const secrets = z
  .strictObject({
    allowPlaintext: z.boolean().default(false).describe('Accept credentials written into this file as they are.'),
    masterKey: masterKey
      .optional()
      .describe(
        'The key that encrypts the built-in store of `secret:NAME` references. `env:NAME` or `file:PATH`: 32 bytes as base64 or hex, or a passphrase of 16 characters or more. `aws-kms:ARN`, `aws-kms:alias/NAME`, `gcp-kms:projects/…/cryptoKeys/KEY`, `azure-kms:VAULT/KEY` or `vault-transit:MOUNT/KEY`: a key of a KMS, which wraps a master key that is made here; the KMS is needed at a start.',
      ),
    previousMasterKeys: z
      .array(masterKey)
      .default([])
      .describe('Master keys that were in use before: what they wrapped is wrapped anew by `masterKey`.'),
    rotate: z
      .strictObject({
        every: longDuration
          .superRefine(atLeast(60_000, '1m'))
          .optional()
          .describe('Stored secrets get a new data key when theirs is as old as that. Absent: only when asked.'),
        overlap: longDuration
          .default('1h')
          .describe('So long an old provider key may still be used beside its successor, unless that has worked before.'),
      })
      .prefault({})
      .describe('Rotation.'),
    reread: duration('5m')
      .superRefine(atLeast(1_000, '1s'))
      .describe('How often secrets that lie elsewhere are read again. Files are looked at every second.'),
    keep: longDuration.default('24h').describe('So long the last value stays in use while its source cannot be reached.'),
    vault,
    aws,
    gcp,
    azure,
    kubernetes,
  })
  .prefault({})
  .describe('How credentials may be given, and where they are read.')

type SecretsOutput = z.output<typeof secrets>

/** Ready for `createSecrets`, which takes all of it but the overlap. */
export interface SecretsConfig {
  readonly allowPlaintext: boolean
  readonly masterKey: string | undefined
  readonly previousMasterKeys: readonly string[]
  readonly rereadMs: number
  readonly keepMs: number
  /** Undefined: never by itself. */
  readonly renewDataKeysMs?: number
  readonly overlapMs: number
  readonly vault: (Omit<NonNullable<SecretsOutput['vault']>, 'token' | 'kubernetes' | 'appRole'> & { readonly auth: VaultAuth }) | undefined
  readonly aws: SecretsOutput['aws']
  readonly gcp: SecretsOutput['gcp']
  readonly azure: SecretsOutput['azure']
  readonly kubernetes: SecretsOutput['kubernetes']
}

type VaultAuth =
  | { readonly token: string }
  | { readonly kubernetes: NonNullable<NonNullable<SecretsOutput['vault']>['kubernetes']> }
  | { readonly appRole: NonNullable<NonNullable<SecretsOutput['vault']>['appRole']> }

const ms = (text: string): number => parseDuration(text) ?? 0

export function secretsConfigOf(written: SecretsOutput): SecretsConfig {
  const { allowPlaintext, masterKey, previousMasterKeys, rotate, reread, keep, vault: given, aws, gcp, azure, kubernetes } = written
  return {
    allowPlaintext,
    masterKey,
    previousMasterKeys,
    rereadMs: ms(reread),
    keepMs: ms(keep),
    ...(rotate.every !== undefined && { renewDataKeysMs: ms(rotate.every) }),
    overlapMs: ms(rotate.overlap),
    vault: given && vaultOf(given),
    aws,
    gcp,
    azure,
    kubernetes,
  }
}

function vaultOf({ token, kubernetes, appRole, ...rest }: NonNullable<SecretsOutput['vault']>): SecretsConfig['vault'] {
  if (kubernetes) return { ...rest, auth: { kubernetes } }
  if (appRole) return { ...rest, auth: { appRole } }
  return { ...rest, auth: { token: token ?? 'env:VAULT_TOKEN' } }
}
