/** Where secrets are read from. One small file per kind implements this. */
import type { SecretFault, SecretProblem, SecretReference, SecretScheme } from '../core/secret-reference.ts'

export interface SecretReading {
  readonly value: string
  /** Milliseconds since 1970: not to be used after that. */
  readonly expiresAt?: number | undefined
  /** As the source calls it. */
  readonly version?: string | undefined
}

export interface SecretSource {
  readonly scheme: SecretScheme
  /** Rejects with a SecretError. `organisation`: what that one has under this name; sources without tenants are not asked for it. */
  read(reference: SecretReference, organisation?: string): Promise<SecretReading>
  /** Puts a value there, in place of the one before. Rejects with a SecretError. Absent: it cannot. */
  write?(reference: SecretReference, value: string): Promise<void>
  close?(): Promise<void>
}

/** Why a secret could not be read. Neither message nor remedy hold a value or a token. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
  readonly fault: SecretFault
  readonly remedy: string

  constructor(fault: SecretFault, message: string, remedy: string) {
    super(message)
    this.fault = fault
    this.remedy = remedy
  }
}

export const problemOf = (error: unknown): SecretProblem =>
  error instanceof SecretError
    ? { fault: error.fault, message: error.message, remedy: error.remedy }
    : { fault: 'unreachable', message: 'the secret could not be read', remedy: 'look at the state of its source' }

/** One member of a value that is a JSON object, or the value itself. */
export function fieldOf(value: string, field: string | undefined): string {
  if (field === undefined) return value
  let members: unknown
  try {
    members = JSON.parse(value)
  } catch {
    throw new SecretError('unset', `the secret is not JSON, so it has no member \`${field}\``, 'leave out `#FIELD`, or store a JSON object')
  }
  return memberOf(members, field)
}

/** A member that is text, a number or a boolean. */
export function memberOf(members: unknown, field: string): string {
  if (typeof members !== 'object' || members === null || !Object.hasOwn(members, field))
    throw new SecretError('unset', `the secret has no member \`${field}\``, 'correct what stands behind `#`')
  const member: unknown = (members as Record<string, unknown>)[field]
  if (typeof member === 'string' && member !== '') return member
  if (typeof member === 'number' || typeof member === 'boolean') return String(member)
  throw new SecretError('unset', `the member \`${field}\` of the secret is not text`, 'store text in it')
}

/** A JSON object with one member set, the others as they were; without a field, the value itself. `before`: what lies there, if anything does. */
export async function withField(value: string, field: string | undefined, before: () => Promise<string>): Promise<string> {
  if (field === undefined) return value
  const text = await before().catch((error: unknown) => {
    if (error instanceof SecretError && error.fault === 'unset') return '{}'
    throw error
  })
  let members: unknown
  try {
    members = JSON.parse(text)
  } catch {
    // Told below.
  }
  if (typeof members !== 'object' || members === null || Array.isArray(members))
    throw new SecretError(
      'malformed',
      `the secret is no JSON object, so \`${field}\` cannot be set in it`,
      'leave out `#FIELD`, or store a JSON object',
    )
  return JSON.stringify({ ...members, [field]: value })
}
