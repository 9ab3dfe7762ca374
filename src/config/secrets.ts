/** Credentials are references; what they point to is read here and nowhere else. */

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Undefined where there are no files. Throws when it cannot be read. */
  readonly readFile?: ((path: string) => string) | undefined
  readonly allowPlaintext?: boolean | undefined
}

export type Secret =
  | { readonly value: string }
  /** `unset`: the reference is well-formed, but there is nothing behind it. */
  | { readonly fault: 'unset' | 'malformed' | 'later'; readonly message: string; readonly remedy: string }

/** The credential behind `env:NAME` or `file:PATH`, without surrounding white space; or why there is none. Never throws. */
export function resolveSecret(reference: string, { env, readFile, allowPlaintext = false }: SecretSources): Secret {
  const [, scheme, rest = ''] = /^(env|file|secret|vault):(.*)$/s.exec(reference) ?? []
  switch (scheme) {
    case 'env':
      return fromEnvironment(rest, env)
    case 'file':
      return fromFile(rest, readFile)
    case 'secret':
    case 'vault':
      return {
        fault: 'later',
        message: `\`${scheme}:\` references have no effect yet`,
        remedy: 'use `env:NAME` or `file:PATH`',
      }
    default:
      if (allowPlaintext) return { value: reference }
      return {
        fault: 'malformed',
        // The text is not repeated: it may be a real credential.
        message: 'a credential is written here as plain text',
        remedy: 'put it into an environment variable and write `env:NAME` (or `file:PATH`), or set `secrets: { allowPlaintext: true }`',
      }
  }
}

function fromEnvironment(name: string, env: SecretSources['env']): Secret {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return {
      fault: 'malformed',
      message: 'not the name of an environment variable',
      remedy: 'write `env:NAME`: letters, digits and underscores',
    }
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
  if (value) return { value }
  return { fault: 'unset', message: `the environment variable ${name} is not set`, remedy: `export ${name}=… before starting` }
}

function fromFile(path: string, readFile: SecretSources['readFile']): Secret {
  if (path === '') return { fault: 'malformed', message: 'no path after `file:`', remedy: 'write `file:PATH`' }
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

/** References that are accepted, but that nothing can read yet. */
export const isLater = (reference: string): boolean => /^(secret|vault):/.test(reference)

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
