/**
 * Who is turned away at the admin API, and wherever else keys are asked for: guessing is slowed down, and the audit log is told of the first
 * refusal in an hour from each address. It cannot be flooded: beyond so many entries an hour it is told once that there are more.
 */
import type { AuditEvent } from '../core/audit.ts'
import type { GatewayError } from '../core/error.ts'
import { anonymous, type Principal } from '../core/principal.ts'
import { createGuesses, type GuessesOptions, networkOf } from './guesses.ts'

export interface DoorOptions extends GuessesOptions {
  /** Must not throw, and is not waited for. Absent: nothing is written down. */
  readonly audit?: ((event: AuditEvent) => void) | undefined
  /** Entries in an hour, of all addresses. Default 200. */
  readonly entries?: number
}

export interface Door {
  /** Nobody knows this credential. What to answer instead of 401, if anything. */
  unknown(address: string | undefined, credential: string, where?: string): GatewayError | undefined
  /** The same for calls, where one wrong key is nothing to write down: the log is told of guessing only. */
  stranger(address: string | undefined, credential: string): GatewayError | undefined
  /** Somebody who is known may not do this. */
  forbidden(principal: Principal, address: string | undefined, operation: string): void
}

const HOUR_MS = 3_600_000

export function createDoor({ audit, entries = 200, now = Date.now, ...limits }: DoorOptions = {}): Door {
  const guesses = createGuesses({ now, ...limits })
  const told = new Set<string>()
  let hour = 0

  function tell(about: string, event: AuditEvent): void {
    if (!audit) return
    const current = Math.floor(now() / HOUR_MS)
    if (current !== hour) {
      hour = current
      told.clear()
    }
    if (told.has(about) || told.size > entries) return
    told.add(about)
    if (told.size <= entries) audit(event)
    else
      audit({
        actor: 'system',
        action: event.subject === 'calls' ? 'key.refused' : 'admin.refused',
        subject: event.subject,
        detail: { more: `over ${entries} in this hour` },
      })
  }

  return {
    unknown(address, credential, where = 'admin') {
      const refusal = guesses.failed(address, credential)
      const action = refusal ? 'admin.guessed' : 'admin.unauthenticated'
      const ip = address === undefined ? {} : { ip: address }
      tell(`${action} ${networkOf(address)}`, { actor: anonymous.id, action, subject: where, ...ip })
      return refusal
    },
    stranger(address, credential) {
      const refusal = guesses.failed(address, credential)
      const ip = address === undefined ? {} : { ip: address }
      if (refusal) tell(`key.guessed ${networkOf(address)}`, { actor: anonymous.id, action: 'key.guessed', subject: 'calls', ...ip })
      return refusal
    },
    forbidden(principal, address, operation) {
      const { organisation } = principal.tenant
      tell(`admin.forbidden ${principal.id} ${networkOf(address)}`, {
        actor: principal.id,
        action: 'admin.forbidden',
        subject: operation === '' ? 'admin' : operation,
        ...(organisation !== undefined && { organisation }),
        ...(address !== undefined && { ip: address }),
      })
    },
  }
}
