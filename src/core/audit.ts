/** Who did what: append-only, each entry's hash over its content and the hash before it. */
import type { Json } from './json.ts'

export interface AuditEvent {
  /** Principal id, or `system`. */
  readonly actor: string
  /** `key.create`, `key.use`, `secret.rotate`, `config.reload` … */
  readonly action: string
  /** Kind and id of what it was done to: `key/key_…`. */
  readonly subject: string
  readonly organisation?: string
  /** Address of the caller, where there is one. */
  readonly ip?: string
  /** Never a secret. */
  readonly detail?: Readonly<Record<string, Json>>
}

export interface AuditEntry extends AuditEvent {
  /** Without gaps, from 1. */
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** Hex SHA-256. The first entry's `previous` is 64 zeros. */
  readonly previous: string
  readonly hash: string
}

export interface AuditLog {
  /** Resolves once it is kept; administrative actions wait for that. */
  append(event: AuditEvent): Promise<void>
  list(options: {
    readonly organisation?: string | undefined
    readonly after?: number | undefined
    readonly limit?: number | undefined
  }): Promise<readonly AuditEntry[]>
  /** Goes through all of it. `brokenAt`: the first entry that does not fit. */
  verify(): Promise<{ readonly entries: number; readonly brokenAt?: number; readonly why?: string }>
}
