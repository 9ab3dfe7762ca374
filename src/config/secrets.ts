/** Credentials are references; those that can be read at once (`env:`, `file:`) are read here. The others are `src/secrets/`'s business. */
import { isProblem, parseSecretReference, type Secret } from '../core/secret-reference.ts'

export type { Secret } from '../core/secret-reference.ts'

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Undefined where there are no files. Throws when it cannot be read. */
  readonly readFile?: ((path: string) => string) | undefined
  readonly allowPlaintext?: boolean | undefined
}

/** The credential behind `env:NAME` or `file:PATH`, without surrounding white space; or why there is none. Never throws. */
export function resolveSecret(reference: string, { env, readFile, allowPlaintext = false }: SecretSources): Secret {
  const parsed = parseSecretReference(reference)
  if (!parsed) {
    if (allowPlaintext) return { value: reference }
    return {
      fault: 'malformed',
      // The text is not repeated: it may be a real credential.
      message: 'a credential is written here as plain text',
      remedy: 'put it into an environment variable and write `env:NAME` (or `file:PATH`), or set `secrets: { allowPlaintext: true }`',
    }
  }
  if (isProblem(parsed)) return parsed
  switch (parsed.scheme) {
    case 'env':
      return fromEnvironment(parsed.name, env)
    case 'file':
      return fromFile(parsed.name, readFile)
    default:
      return {
        fault: 'later',
        message: `\`${parsed.scheme}:\` references are read only by a running server`,
        remedy: 'use `env:NAME` or `file:PATH` here',
      }
  }
}

function fromEnvironment(name: string, env: SecretSources['env']): Secret {
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
  if (value) return { value }
  return { fault: 'unset', message: `the environment variable ${name} is not set`, remedy: `export ${name}=… before starting` }
}

function fromFile(path: string, readFile: SecretSources['readFile']): Secret {
  if (!readFile) return { fault: 'unset', message: 'files cannot be read here', remedy: 'use `env:NAME`' }
  try {
    const value = readFile(path).trim()
    if (value) return { value }
    return { fault: 'unset', message: `the file ${path} is empty`, remedy: 'put the credential into it, and nothing else' }
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return { fault: 'unset', message: `the file ${path} cannot be read (${reason})`, remedy: 'check the path and its permissions' }
  }
}

/** References whose value has to be asked for: `secret:`, `vault:` and the clouds' stores. */
export const isLater = (reference: string): boolean => /^(secret|vault|aws|gcp|azure|k8s):/.test(reference)

export interface Expanded {
  readonly text: string
  /** Variables that are not set. */
  readonly missing: readonly string[]
}

/** A text with `${NAME}` replaced from the environment. */
export function expandVariables(text: string, env: SecretSources['env']): Expanded {
  const missing: string[] = []
  const expanded = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value) return value
    missing.push(name)
    return whole
  })
  return { text: expanded, missing }
}
