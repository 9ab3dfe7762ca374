/** The master key is named by a reference: to itself (`env:`, `file:`), or to the key of a KMS that wraps it. */
import type { SecretProblem } from './secret-reference.ts'

export const kmsSchemes = ['aws-kms', 'gcp-kms', 'azure-kms', 'vault-transit'] as const
export type KmsScheme = (typeof kmsSchemes)[number]

export interface KmsReference {
  readonly scheme: KmsScheme
  /** What stands behind the scheme. */
  readonly name: string
}

interface Form {
  readonly pattern: RegExp
  readonly message: string
  readonly remedy: string
}

const forms: Readonly<Record<KmsScheme, Form>> = {
  'aws-kms': {
    pattern:
      /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)|alias\/[A-Za-z0-9/_-]+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    message: 'not a key of AWS KMS',
    remedy: 'write `aws-kms:ARN` or `aws-kms:alias/NAME`',
  },
  'gcp-kms': {
    pattern: /^projects\/[a-z0-9:.-]+\/locations\/[a-z0-9-]+\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}$/,
    message: 'not a key of Google Cloud KMS',
    remedy: 'write `gcp-kms:projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY`, without a version',
  },
  'azure-kms': {
    pattern: /^[A-Za-z][A-Za-z0-9-]{1,126}\/[A-Za-z0-9-]{1,127}(@[A-Za-z0-9]+)?$/,
    message: 'not a key in Azure Key Vault',
    remedy: 'write `azure-kms:VAULT/KEY` or `azure-kms:VAULT/KEY@VERSION`',
  },
  'vault-transit': {
    pattern: /^[A-Za-z0-9_.@=-]+(\/[A-Za-z0-9_.@=-]+)+$/,
    message: "not a key of Vault's transit engine",
    remedy: 'write `vault-transit:MOUNT/KEY`, as in `vault-transit:transit/signalbox`',
  },
}

/** Any of them, as far as its form can be told from its beginning. */
export const masterKeyPattern = /^(env:[A-Za-z_][A-Za-z0-9_]*|(file|aws-kms|gcp-kms|azure-kms|vault-transit):.+)$/s
export const masterKeyRemedy =
  'write `env:NAME`, `file:PATH`, or a key of a KMS: `aws-kms:…`, `gcp-kms:…`, `azure-kms:…`, `vault-transit:…`'

/** Undefined: not a KMS's. */
export function parseKmsReference(text: string): KmsReference | SecretProblem | undefined {
  const colon = text.indexOf(':')
  const scheme = kmsSchemes.find((known) => known === text.slice(0, colon))
  if (scheme === undefined) return undefined
  const name = text.slice(colon + 1)
  const { pattern, message, remedy } = forms[scheme]
  if (!pattern.test(name) || /(^|\/)\.{1,2}(\/|$)/.test(name)) return { fault: 'malformed', message, remedy }
  return { scheme, name }
}

/** Why this cannot name a master key. The text is not repeated: it may be the key itself. */
export function masterKeyProblem(text: string): Pick<SecretProblem, 'message' | 'remedy'> | undefined {
  if (!masterKeyPattern.test(text)) return { message: 'not a reference', remedy: masterKeyRemedy }
  const parsed = parseKmsReference(text)
  return parsed && 'fault' in parsed ? parsed : undefined
}
