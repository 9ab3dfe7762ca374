/** Credentials are named by references; what one says of where its value lies. */

export const secretSchemes = ['env', 'file', 'secret', 'vault', 'aws', 'gcp', 'azure', 'k8s'] as const
export type SecretScheme = (typeof secretSchemes)[number]

export interface SecretReference {
  readonly scheme: SecretScheme
  /** What stands behind the scheme, without the field. */
  readonly name: string
  /** Behind `#`: one member of a secret that has several. */
  readonly field?: string
}

export type SecretFault =
  /** The reference is well-formed, but there is nothing behind it. */
  | 'unset'
  | 'malformed'
  /** Cannot be read where it was asked for: only a running server reads it. */
  | 'later'
  /** The source does not answer. */
  | 'unreachable'
  /** The source does not let us read. */
  | 'refused'

export interface SecretProblem {
  readonly fault: SecretFault
  readonly message: string
  readonly remedy: string
}

/** What a reference came to. Problems never hold the value, nor a token that was used to ask for it. */
export type Secret = { readonly value: string } | SecretProblem

interface Form {
  readonly pattern: RegExp
  readonly message: string
  readonly remedy: string
  /** Whether `#FIELD` may stand behind it. */
  readonly fields: boolean
}

const forms: Readonly<Record<Exclude<SecretScheme, 'file'>, Form>> = {
  env: {
    pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
    message: 'not the name of an environment variable',
    remedy: 'write `env:NAME`: letters, digits and underscores',
    fields: false,
  },
  secret: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    message: 'not the name of a stored secret',
    remedy: 'write `secret:NAME`: 1 to 100 letters, digits, dots, dashes and underscores',
    fields: false,
  },
  vault: {
    pattern: /^[A-Za-z0-9_.@=-]+(\/[A-Za-z0-9_.@=-]+)*$/,
    message: 'not a path in Vault',
    remedy: 'write `vault:MOUNT/PATH#FIELD`, as in `vault:secret/openai#key`',
    fields: true,
  },
  aws: {
    pattern:
      /^((sm|ssm)\/[A-Za-z0-9/_+=.@:!-]+|arn:aws[a-z-]*:(secretsmanager|ssm):[a-z0-9-]+:\d{12}:(secret:|parameter\/)[A-Za-z0-9/_+=.@!-]+)$/,
    message: 'not a secret in AWS',
    remedy:
      'write `aws:sm/NAME` (Secrets Manager), `aws:ssm/NAME` (Parameter Store) or `aws:ARN`, with `#FIELD` for a member of a JSON value',
    fields: true,
  },
  gcp: {
    pattern: /^(projects\/[a-z0-9:.-]+\/(locations\/[a-z0-9-]+\/)?secrets\/[\w-]+(\/versions\/[\w-]+)?|[a-z0-9:.-]+\/[\w-]+(@[\w-]+)?)$/,
    message: 'not a secret in Google Secret Manager',
    remedy:
      'write `gcp:PROJECT/NAME`, `gcp:PROJECT/NAME@VERSION` or `gcp:projects/…/secrets/…`, with `#FIELD` for a member of a JSON value',
    fields: true,
  },
  azure: {
    pattern: /^[A-Za-z][A-Za-z0-9-]{1,126}\/[A-Za-z0-9-]{1,127}(@[A-Za-z0-9]+)?$/,
    message: 'not a secret in Azure Key Vault',
    remedy: 'write `azure:VAULT/NAME` or `azure:VAULT/NAME@VERSION`, with `#FIELD` for a member of a JSON value',
    fields: true,
  },
  k8s: {
    pattern: /^([a-z0-9-]{1,63}\/)?[a-z0-9][a-z0-9.-]{0,252}$/,
    message: 'not a secret in Kubernetes',
    remedy: 'write `k8s:NAME#KEY` or `k8s:NAMESPACE/NAME#KEY`',
    fields: true,
  },
}

/** Undefined: no reference at all, so plain text. */
export function parseSecretReference(text: string): SecretReference | SecretProblem | undefined {
  const [, scheme, rest = ''] = /^(env|file|secret|vault|aws|gcp|azure|k8s):(.*)$/s.exec(text) ?? []
  if (scheme === undefined) return undefined
  if (scheme === 'file') {
    if (rest === '') return { fault: 'malformed', message: 'no path after `file:`', remedy: 'write `file:PATH`' }
    return { scheme, name: rest }
  }
  const form = forms[scheme as keyof typeof forms]
  const hash = form.fields ? rest.indexOf('#') : -1
  const name = hash === -1 ? rest : rest.slice(0, hash)
  const field = hash === -1 ? undefined : rest.slice(hash + 1)
  // The text is not repeated: it may be a real credential.
  if (!form.pattern.test(name) || field === '' || /(^|\/)\.{1,2}(\/|$)/.test(name))
    return { fault: 'malformed', message: form.message, remedy: form.remedy }
  if (scheme === 'k8s' && field === undefined)
    return { fault: 'malformed', message: 'does not say which key of the Kubernetes secret', remedy: form.remedy }
  return { scheme: scheme as SecretScheme, name, ...(field !== undefined && { field }) }
}

export const isProblem = (found: SecretReference | Secret): found is SecretProblem => 'fault' in found
