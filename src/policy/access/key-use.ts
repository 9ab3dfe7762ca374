/** The first use of a key in an hour, from each class of addresses, goes to the audit log: enough to see where a key is used, and no flood. */
import type { AuditEvent } from '../../core/audit.ts'
import type { Principal } from '../../core/principal.ts'
import type { Origin } from './origin.ts'

const HOUR_MS = 3_600_000

/** `append` must not throw and is not waited for. */
export function keyUse(append: (event: AuditEvent) => void): (principal: Principal, origin: Origin, now: number) => void {
  let hour = 0
  const seen = new Map<string, string[]>()

  return (principal, origin, now) => {
    const current = Math.floor(now / HOUR_MS)
    if (current !== hour) {
      hour = current
      seen.clear()
    }
    const classes = seen.get(principal.id)
    if (classes?.includes(origin.ipClass)) return
    if (classes) classes.push(origin.ipClass)
    else seen.set(principal.id, [origin.ipClass])
    const { organisation } = principal.tenant
    append({
      actor: principal.id,
      action: 'key.use',
      subject: principal.kind === 'key' ? `key/${principal.id}` : principal.id,
      ...(organisation !== undefined && { organisation }),
      ...(origin.ip !== undefined && { ip: origin.ip }),
      detail: { ipClass: origin.ipClass },
    })
  }
}
