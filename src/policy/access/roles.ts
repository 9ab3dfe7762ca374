/** What a role may do in the admin API, in one table. The API's routes say the same in their own words; a test holds both together. */
import type { Principal, Role } from '../../core/principal.ts'

/** `<resource>.<verb>`. `usage.own` and `key.own`: of the caller's own key or subject only. */
export const adminActions = [
  'key.own',
  'usage.own',
  'token.exchange',
  'key.read',
  'key.write',
  'tenant.read',
  'tenant.write',
  'budget.read',
  'budget.write',
  'limit.read',
  'limit.write',
  'credit.read',
  'credit.write',
  'usage.read',
  'request.read',
  'health.read',
  'config.read',
  'config.reload',
  'reconcile.run',
  'secret.read',
  'secret.write',
  'audit.read',
  'admin.read',
  'admin.write',
  'setting.read',
  'setting.write',
] as const
export type AdminAction = (typeof adminActions)[number]

const member: readonly AdminAction[] = ['key.own', 'usage.own', 'token.exchange']
const viewer: readonly AdminAction[] = [
  ...member,
  'key.read',
  'tenant.read',
  'budget.read',
  'limit.read',
  'credit.read',
  'usage.read',
  'request.read',
  'health.read',
]
const operator: readonly AdminAction[] = [
  ...viewer,
  'key.write',
  'budget.write',
  'limit.write',
  'config.read',
  'config.reload',
  'reconcile.run',
  'secret.read',
  'audit.read',
]
const admin: readonly AdminAction[] = [
  ...operator,
  'tenant.write',
  'credit.write',
  'secret.write',
  'admin.read',
  'admin.write',
  'setting.read',
]

const granted: Readonly<Record<Role, ReadonlySet<AdminAction>>> = {
  owner: new Set(adminActions),
  admin: new Set(admin),
  operator: new Set(operator),
  viewer: new Set(viewer),
  member: new Set(member),
}

/** These concern the gateway as a whole: whoever belongs to one organisation may not. */
const wholeGateway: ReadonlySet<AdminAction> = new Set([
  'config.read',
  'config.reload',
  'health.read',
  'reconcile.run',
  'setting.read',
  'setting.write',
])

export const can = (role: Role, action: AdminAction): boolean => granted[role].has(action)

/** The same, for somebody who may belong to an organisation. */
export const may = (principal: Principal, action: AdminAction): boolean =>
  principal.kind !== 'anonymous' &&
  can(principal.role, action) &&
  (principal.role === 'owner' || principal.tenant.organisation === undefined || !wholeGateway.has(action))
