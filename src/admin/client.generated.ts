/** Made by `npm run docs` from src/admin/routes.ts: the admin API, with its types. */
import { type AdminClientOptions, adminCalls, segment } from './client-call.ts'

export { type AdminClientOptions, AdminError } from './client-call.ts'

export interface Admin {
  /** Opaque. */
  readonly id: string
  /** How the key begins, to tell it from others. */
  readonly prefix: string
  readonly alias?: string
  readonly group?: string
  readonly role: 'owner' | 'admin' | 'operator' | 'viewer' | 'member'
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly user?: string
  readonly tags: readonly string[]
  readonly tier?: string
  /** As `scopes.models`. */
  readonly models?: readonly string[]
  readonly scopes: Scopes
  readonly limits: readonly KeyLimit[]
  readonly budgets: readonly KeyBudget[]
  readonly metadata: Readonly<Record<string, string>>
  /** RFC 3339, UTC. */
  readonly expiresAt?: string
  /** RFC 3339, UTC. */
  readonly rotatedAt?: string
  /** It is rotated by itself when it is as old as that. */
  readonly rotateEvery?: string
  /** When that is due. */
  readonly rotatesAt?: string
  /** Until then the key before the last rotation works too. */
  readonly previousValidUntil?: string
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface AdminInput {
  /** What they may do: `admin` everything, `operator` no secrets, tenants or admins, `viewer` only look. */
  readonly role: 'admin' | 'operator' | 'viewer'
  /** What people call it. */
  readonly alias?: string
  /** The one organisation they see. Absent: the caller's own. */
  readonly organisation?: string
  /** Whom its calls are for. */
  readonly user?: string
  /** What it may be used for. What is absent is not restricted; an empty list allows nothing. */
  readonly scopes?: Scopes
  /** Owner, deployment: notes of yours. */
  readonly metadata?: Readonly<Record<string, string>>
  /** When it stops working. */
  readonly expiresAt?: string
  /** The same, as a duration from now. */
  readonly expiresIn?: string
}

export interface AdminPatch {
  /** What they may do: `admin` everything, `operator` no secrets, tenants or admins, `viewer` only look. */
  readonly role?: 'admin' | 'operator' | 'viewer' | null
  /** What people call it. */
  readonly alias?: string | null
  /** Whom its calls are for. */
  readonly user?: string | null
  /** What it may be used for. What is absent is not restricted; an empty list allows nothing. */
  readonly scopes?: Scopes | null
  /** Owner, deployment: notes of yours. */
  readonly metadata?: Readonly<Record<string, string>> | null
  /** When it stops working. */
  readonly expiresAt?: string | null
  /** The same, as a duration from now. */
  readonly expiresIn?: string | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface AdminRotation {
  /** So long the key before works too. Default: 1h; "0s": it ends at once. */
  readonly overlap?: string
}

export interface AuditEntry {
  /** Without gaps, from 1. */
  readonly seq: number
  /** RFC 3339, UTC. */
  readonly at: string
  /** Id of a principal, `owner` or `system`. */
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly organisation?: string
  readonly ip?: string
  readonly detail?: Readonly<Record<string, unknown>>
  readonly previous: string
  readonly hash: string
}

export interface AuditVerdict {
  readonly whole: boolean
  readonly entries: number
  /** The first entry that does not fit. */
  readonly brokenAt?: number
  readonly why?: string
}

export interface Budget {
  readonly id: string
  readonly organisation?: string
  readonly name?: string
  /** USD, as a decimal string. */
  readonly limit: string
  /** A calendar window, or a duration. */
  readonly window: string
  readonly timeZone: string
  readonly by: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
  readonly value?: string
  readonly models?: readonly string[]
  readonly tiers?: readonly string[]
  readonly onBreach: 'refuse' | 'next-tier' | 'queue'
  readonly status: number
  readonly warnAt: readonly number[]
  /** `config`: it stands in the configuration file, and is changed there. */
  readonly source: 'config' | 'admin'
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface BudgetInput {
  /** Whose it is. Absent: the caller's own. */
  readonly organisation?: string
  /** What it is called in errors and reports. */
  readonly name?: string
  /** USD: "0.50". */
  readonly limit: string | number
  /** A calendar window, or a duration for the last so long ("24h"). Default: month. */
  readonly window?: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'total' | string
  /** Where calendar windows begin. Default: UTC. */
  readonly timeZone?: string
  /** Only calls for these names. Absent: all. */
  readonly models?: readonly string[]
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[]
  /** What happens when it is used up. Default: refuse. */
  readonly onBreach?: 'refuse' | 'next-tier' | 'queue'
  /** The status of a refusal. Default: 402. */
  readonly status?: number
  /** Shares of the limit at which to warn. Default: 0.8. */
  readonly warnAt?: readonly number[]
  /** What has a count of its own. Default: all together. */
  readonly by?: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
  /** Only this key, user, team … Absent: each. */
  readonly value?: string
}

export interface BudgetPatch {
  /** What it is called in errors and reports. */
  readonly name?: string | null
  /** USD: "0.50". */
  readonly limit?: string | number | null
  /** A calendar window, or a duration for the last so long ("24h"). Default: month. */
  readonly window?: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'total' | string | null
  /** Where calendar windows begin. Default: UTC. */
  readonly timeZone?: string | null
  /** Only calls for these names. Absent: all. */
  readonly models?: readonly string[] | null
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[] | null
  /** What happens when it is used up. Default: refuse. */
  readonly onBreach?: 'refuse' | 'next-tier' | 'queue' | null
  /** The status of a refusal. Default: 402. */
  readonly status?: number | null
  /** Shares of the limit at which to warn. Default: 0.8. */
  readonly warnAt?: readonly number[] | null
  /** What has a count of its own. Default: all together. */
  readonly by?: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class' | null
  /** Only this key, user, team … Absent: each. */
  readonly value?: string | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface BudgetStatus {
  readonly budget: string
  readonly name?: string
  /** Which key, user, team … Absent: all together. */
  readonly value?: string
  /** USD, as a decimal string. */
  readonly limit: string
  /** USD, as a decimal string. */
  readonly spent: string
  /** USD held by calls that run. */
  readonly held: string
  /** USD. Never below zero. */
  readonly remaining: string
  /** RFC 3339, UTC. */
  readonly from?: string
  /** Absent for rolling windows and `total`. */
  readonly resets?: string
}

export interface Call {
  readonly id: string
  /** `lost`: the process ended before the call did; its cost is the estimate. */
  readonly state: 'running' | 'settled' | 'lost'
  /** RFC 3339, UTC. */
  readonly at: string
  /** RFC 3339, UTC. */
  readonly endedAt?: string
  readonly key: string
  readonly alias?: string
  readonly user?: string
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly tags: readonly string[]
  readonly tier?: string
  readonly dialect: string
  readonly requestedModel: string
  readonly route?: string
  readonly streamed: boolean
  readonly provider?: string
  readonly model?: string
  readonly region?: string
  readonly status?: number
  /** The public code. */
  readonly error?: string
  readonly usage?: Readonly<Record<string, unknown>>
  /** USD. Absent: nobody knows. */
  readonly cost?: string
  /** USD, as a decimal string. */
  readonly charge?: string
  /** The cost is an estimate. */
  readonly estimated?: boolean
  /** Requests really sent upstream. */
  readonly attempts?: number
  readonly cache?: string
  readonly firstMs?: number
  readonly totalMs?: number
}

export interface CreditBalance {
  readonly organisation: string
  /** Whether it may spend no more than it has. */
  readonly prepaid: boolean
  /** USD: paid in, less what was charged. May be below zero by what a call cost more than was held for it. */
  readonly balance: string
  /** USD held by calls that run. */
  readonly held: string
  /** USD: the balance less what is held. */
  readonly available: string
  /** USD, as a decimal string. */
  readonly toppedUp: string
  /** USD, as a decimal string. */
  readonly charged: string
}

export interface CreditMovement {
  readonly id: string
  /** RFC 3339, UTC. */
  readonly at: string
  readonly kind: 'top-up' | 'adjustment' | 'charge'
  /** USD; negative for what was charged. */
  readonly amount: string
  readonly note?: string
}

export interface DecisionRecord {
  readonly id: string
  /** `lost`: the process ended before the call did; its cost is the estimate. */
  readonly state: 'running' | 'settled' | 'lost'
  /** RFC 3339, UTC. */
  readonly at: string
  /** RFC 3339, UTC. */
  readonly endedAt?: string
  readonly key: string
  readonly alias?: string
  readonly user?: string
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly tags: readonly string[]
  readonly tier?: string
  readonly dialect: string
  readonly requestedModel: string
  readonly route?: string
  readonly streamed: boolean
  readonly provider?: string
  readonly model?: string
  readonly region?: string
  readonly status?: number
  /** The public code. */
  readonly error?: string
  readonly usage?: Readonly<Record<string, unknown>>
  /** USD. Absent: nobody knows. */
  readonly cost?: string
  /** USD, as a decimal string. */
  readonly charge?: string
  /** The cost is an estimate. */
  readonly estimated?: boolean
  /** Requests really sent upstream. */
  readonly attempts?: number
  readonly cache?: string
  readonly firstMs?: number
  readonly totalMs?: number
  /** Candidates and what removed each, attempts, reason, dropped fields. */
  readonly decision?: Readonly<Record<string, unknown>>
}

export interface Key {
  /** Opaque. */
  readonly id: string
  /** How the key begins, to tell it from others. */
  readonly prefix: string
  readonly alias?: string
  readonly group?: string
  readonly role: 'owner' | 'admin' | 'operator' | 'viewer' | 'member'
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly user?: string
  readonly tags: readonly string[]
  readonly tier?: string
  /** As `scopes.models`. */
  readonly models?: readonly string[]
  readonly scopes: Scopes
  readonly limits: readonly KeyLimit[]
  readonly budgets: readonly KeyBudget[]
  readonly metadata: Readonly<Record<string, string>>
  /** RFC 3339, UTC. */
  readonly expiresAt?: string
  /** RFC 3339, UTC. */
  readonly rotatedAt?: string
  /** It is rotated by itself when it is as old as that. */
  readonly rotateEvery?: string
  /** When that is due. */
  readonly rotatesAt?: string
  /** Until then the key before the last rotation works too. */
  readonly previousValidUntil?: string
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface KeyBudget {
  readonly id: string
  readonly name?: string
  /** USD, as a decimal string. */
  readonly limit: string
  /** A calendar window, or a duration. */
  readonly window: string
  readonly timeZone: string
  readonly by: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
  readonly value?: string
  readonly models?: readonly string[]
  readonly tiers?: readonly string[]
  readonly onBreach: 'refuse' | 'next-tier' | 'queue'
  readonly status: number
  readonly warnAt: readonly number[]
}

export interface KeyBudgetInput {
  /** Of a rule that the key has already, so that what was spent under it stays spent. */
  readonly id?: string
  /** What it is called in errors and reports. */
  readonly name?: string
  /** USD: "0.50". */
  readonly limit: string | number
  /** A calendar window, or a duration for the last so long ("24h"). Default: month. */
  readonly window?: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'total' | string
  /** Where calendar windows begin. Default: UTC. */
  readonly timeZone?: string
  /** Only calls for these names. Absent: all. */
  readonly models?: readonly string[]
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[]
  /** What happens when it is used up. Default: refuse. */
  readonly onBreach?: 'refuse' | 'next-tier' | 'queue'
  /** The status of a refusal. Default: 402. */
  readonly status?: number
  /** Shares of the limit at which to warn. Default: 0.8. */
  readonly warnAt?: readonly number[]
  /** What has a count of its own. Default: the key. */
  readonly by?: 'key' | 'user' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
}

export interface KeyInput {
  /** What people call it. */
  readonly alias?: string
  /** Keys of one group can be told together in reports. */
  readonly group?: string
  /** Whose it is. Absent: the caller's own. */
  readonly organisation?: string
  /** The team it is of. */
  readonly team?: string
  /** The project it is of. */
  readonly project?: string
  /** Whom its calls are for. */
  readonly user?: string
  /** Put on every call, to sum up by. */
  readonly tags?: readonly string[]
  /** The class of service. */
  readonly tier?: string
  /** Short for `scopes.models`. */
  readonly models?: readonly string[]
  /** What it may be used for. What is absent is not restricted; an empty list allows nothing. */
  readonly scopes?: Scopes
  /** Limits on rates. */
  readonly limits?: readonly KeyLimitInput[]
  /** Limits on spending. */
  readonly budgets?: readonly KeyBudgetInput[]
  /** Owner, deployment: notes of yours. */
  readonly metadata?: Readonly<Record<string, string>>
  /** When it stops working. */
  readonly expiresAt?: string
  /** The same, as a duration from now. */
  readonly expiresIn?: string
  /** It is given another secret when it is as old as that; its holder finds the new one at `access.rotation.to`. */
  readonly rotateEvery?: string
}

export interface KeyLimit {
  readonly id: string
  readonly name?: string
  /** What is counted. */
  readonly what: 'requests' | 'input-tokens' | 'output-tokens' | 'tokens' | 'concurrent'
  readonly limit: number
  /** A duration. */
  readonly window: string
  readonly by: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
  readonly value?: string
  readonly models?: readonly string[]
  readonly tiers?: readonly string[]
}

export interface KeyLimitInput {
  /** Of a rule that the key has already, so that what was spent under it stays spent. */
  readonly id?: string
  /** What it is called in errors and reports. */
  readonly name?: string
  /** What is counted. */
  readonly what: 'requests' | 'input-tokens' | 'output-tokens' | 'tokens' | 'concurrent'
  /** So many are let through. */
  readonly limit: number
  /** In the last so long. Default: 1m. Without meaning for `concurrent`. */
  readonly window?: string
  /** Only calls for these names. Absent: all. */
  readonly models?: readonly string[]
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[]
  /** What has a count of its own. Default: the key. */
  readonly by?: 'key' | 'user' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
}

export interface KeyPatch {
  /** What people call it. */
  readonly alias?: string | null
  /** Keys of one group can be told together in reports. */
  readonly group?: string | null
  /** The team it is of. */
  readonly team?: string | null
  /** The project it is of. */
  readonly project?: string | null
  /** Whom its calls are for. */
  readonly user?: string | null
  /** Put on every call, to sum up by. */
  readonly tags?: readonly string[] | null
  /** The class of service. */
  readonly tier?: string | null
  /** Short for `scopes.models`. */
  readonly models?: readonly string[] | null
  /** What it may be used for. What is absent is not restricted; an empty list allows nothing. */
  readonly scopes?: Scopes | null
  /** Limits on rates. */
  readonly limits?: readonly KeyLimitInput[] | null
  /** Limits on spending. */
  readonly budgets?: readonly KeyBudgetInput[] | null
  /** Owner, deployment: notes of yours. */
  readonly metadata?: Readonly<Record<string, string>> | null
  /** When it stops working. */
  readonly expiresAt?: string | null
  /** The same, as a duration from now. */
  readonly expiresIn?: string | null
  /** It is given another secret when it is as old as that; its holder finds the new one at `access.rotation.to`. */
  readonly rotateEvery?: string | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface KeyRotation {
  /** So long the key before works too. Default: 1h; "0s": it ends at once. */
  readonly overlap?: string
}

export interface Limit {
  readonly id: string
  readonly organisation?: string
  readonly name?: string
  /** What is counted. */
  readonly what: 'requests' | 'input-tokens' | 'output-tokens' | 'tokens' | 'concurrent'
  readonly limit: number
  /** A duration. */
  readonly window: string
  readonly by: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
  readonly value?: string
  readonly models?: readonly string[]
  readonly tiers?: readonly string[]
  /** `config`: it stands in the configuration file, and is changed there. */
  readonly source: 'config' | 'admin'
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface LimitInput {
  /** Whose it is. Absent: the caller's own. */
  readonly organisation?: string
  /** What it is called in errors and reports. */
  readonly name?: string
  /** What is counted. */
  readonly what: 'requests' | 'input-tokens' | 'output-tokens' | 'tokens' | 'concurrent'
  /** So many are let through. */
  readonly limit: number
  /** In the last so long. Default: 1m. Without meaning for `concurrent`. */
  readonly window?: string
  /** Only calls for these names. Absent: all. */
  readonly models?: readonly string[]
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[]
  /** What has a count of its own. Default: all together. */
  readonly by?: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'
  /** Only this key, user, team … Absent: each. */
  readonly value?: string
}

export interface LimitPatch {
  /** What it is called in errors and reports. */
  readonly name?: string | null
  /** What is counted. */
  readonly what?: 'requests' | 'input-tokens' | 'output-tokens' | 'tokens' | 'concurrent' | null
  /** So many are let through. */
  readonly limit?: number | null
  /** In the last so long. Default: 1m. Without meaning for `concurrent`. */
  readonly window?: string | null
  /** Only calls for these names. Absent: all. */
  readonly models?: readonly string[] | null
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[] | null
  /** What has a count of its own. Default: all together. */
  readonly by?: 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class' | null
  /** Only this key, user, team … Absent: each. */
  readonly value?: string | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface MasterKeyRotated {
  /** False: it was this key already. */
  readonly changed: boolean
  /** The KMS wrapped the same master key anew: nothing else had to be. */
  readonly wrapped: boolean
  readonly rewrapped: number
  /** Still under a key that is not at hand. */
  readonly failed: number
}

export interface MasterKeyRotation {
  /** Where every replica reads the new master key: `env:NAME`, `file:PATH`, or the key of a KMS (`aws-kms:…`, `gcp-kms:…`, `azure-kms:…`, `vault-transit:…`). A KMS wraps the master key in force as it is, where that was made for a KMS. */
  readonly reference: string
  /** With the key of a KMS: a new master key in any case. */
  readonly fresh?: boolean
}

export interface Me {
  readonly kind: 'owner' | 'key' | 'jwt'
  readonly id: string
  readonly alias?: string
  readonly role: 'owner' | 'admin' | 'operator' | 'viewer' | 'member'
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly user?: string
  readonly tier?: string
  readonly scopes: Scopes
  /** RFC 3339, UTC. */
  readonly expiresAt?: string
}

export interface NewAdmin {
  /** Opaque. */
  readonly id: string
  /** How the key begins, to tell it from others. */
  readonly prefix: string
  readonly alias?: string
  readonly group?: string
  readonly role: 'owner' | 'admin' | 'operator' | 'viewer' | 'member'
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly user?: string
  readonly tags: readonly string[]
  readonly tier?: string
  /** As `scopes.models`. */
  readonly models?: readonly string[]
  readonly scopes: Scopes
  readonly limits: readonly KeyLimit[]
  readonly budgets: readonly KeyBudget[]
  readonly metadata: Readonly<Record<string, string>>
  /** RFC 3339, UTC. */
  readonly expiresAt?: string
  /** RFC 3339, UTC. */
  readonly rotatedAt?: string
  /** It is rotated by itself when it is as old as that. */
  readonly rotateEvery?: string
  /** When that is due. */
  readonly rotatesAt?: string
  /** Until then the key before the last rotation works too. */
  readonly previousValidUntil?: string
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
  /** The key itself: shown this once, kept nowhere. */
  readonly key: string
}

export interface NewKey {
  /** Opaque. */
  readonly id: string
  /** How the key begins, to tell it from others. */
  readonly prefix: string
  readonly alias?: string
  readonly group?: string
  readonly role: 'owner' | 'admin' | 'operator' | 'viewer' | 'member'
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly user?: string
  readonly tags: readonly string[]
  readonly tier?: string
  /** As `scopes.models`. */
  readonly models?: readonly string[]
  readonly scopes: Scopes
  readonly limits: readonly KeyLimit[]
  readonly budgets: readonly KeyBudget[]
  readonly metadata: Readonly<Record<string, string>>
  /** RFC 3339, UTC. */
  readonly expiresAt?: string
  /** RFC 3339, UTC. */
  readonly rotatedAt?: string
  /** It is rotated by itself when it is as old as that. */
  readonly rotateEvery?: string
  /** When that is due. */
  readonly rotatesAt?: string
  /** Until then the key before the last rotation works too. */
  readonly previousValidUntil?: string
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
  /** The key itself: shown this once, kept nowhere. */
  readonly key: string
}

export interface Organisation {
  readonly id: string
  readonly name: string
  readonly markup: number
  readonly billing: 'postpaid' | 'prepaid'
  readonly metadata: Readonly<Record<string, string>>
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface OrganisationInput {
  /** Of your choice, for those who belong to no organisation. Absent: made. */
  readonly id?: string
  /** What people call it. */
  readonly name: string
  /** What it is charged, in parts of a thousand of cost: 1100 is ten per cent more, 900 a discount. Default: 1000. */
  readonly markup?: number
  /** `prepaid`: it spends what was credited (`/credits`), and no more. Default: postpaid. */
  readonly billing?: 'postpaid' | 'prepaid'
  /** Notes of yours. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface OrganisationPatch {
  /** What people call it. */
  readonly name?: string | null
  /** What it is charged, in parts of a thousand of cost: 1100 is ten per cent more, 900 a discount. Default: 1000. */
  readonly markup?: number | null
  /** `prepaid`: it spends what was credited (`/credits`), and no more. Default: postpaid. */
  readonly billing?: 'postpaid' | 'prepaid' | null
  /** Notes of yours. */
  readonly metadata?: Readonly<Record<string, string>> | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface Project {
  readonly id: string
  readonly organisation?: string
  readonly name: string
  readonly team: string
  readonly metadata: Readonly<Record<string, string>>
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface ProjectInput {
  /** Of your choice, for those who belong to no organisation. Absent: made. */
  readonly id?: string
  /** Whose it is. Absent: the caller's own. */
  readonly organisation?: string
  /** What people call it. */
  readonly name: string
  /** The team it is of. */
  readonly team: string
  /** Notes of yours. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface ProjectPatch {
  /** What people call it. */
  readonly name?: string | null
  /** The team it is of. */
  readonly team?: string | null
  /** Notes of yours. */
  readonly metadata?: Readonly<Record<string, string>> | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface ReconciliationInput {
  /** Whole days, in UTC. Default: as configured. */
  readonly from?: string
  /** Excluded. Default: as configured. */
  readonly to?: string
  /** Only the statements of this one. */
  readonly provider?: string
}

export type ReconciliationReport = Readonly<Record<string, unknown>>

export interface Reloaded {
  readonly reloaded: true
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  /** What is kept until a restart. */
  readonly needsRestart: readonly string[]
  readonly notices: readonly {
    readonly path: string
    readonly message: string
  }[]
}

export interface Scopes {
  /** Names it may ask for: routes, `provider/model`, `provider/*`. */
  readonly models?: readonly string[]
  /** Tiers it may ask for. */
  readonly tiers?: readonly string[]
  /** What it may do: chat, count, models, explain … */
  readonly endpoints?: readonly string[]
  /** MCP tools it may call, as `server/tool`. */
  readonly tools?: readonly string[]
  /** Addresses it may be used from, as CIDR ranges. */
  readonly ips?: readonly string[]
}

export interface Secret {
  /** What `secret:NAME` refers to. */
  readonly name: string
  readonly organisation?: string
  /** Counts up with every new value. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** When it got its value. */
  readonly valueAt: string
  /** When it was encrypted with its present data key. */
  readonly keyAt: string
  /** Id of the master key that wraps the data key. */
  readonly masterKey: string
}

export interface SecretInput {
  readonly name: string
  /** The credential. It can be replaced, and never read. */
  readonly value: string
  /** Whose it is. Absent: the caller's own, or the installation's. */
  readonly organisation?: string
}

export interface SecretPatch {
  /** The credential. It can be replaced, and never read. */
  readonly value: string
}

export interface Team {
  readonly id: string
  readonly organisation?: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  /** Counts up with every change. */
  readonly version: number
  /** RFC 3339, UTC. */
  readonly createdAt: string
  /** RFC 3339, UTC. */
  readonly updatedAt: string
}

export interface TeamInput {
  /** Of your choice, for those who belong to no organisation. Absent: made. */
  readonly id?: string
  /** Whose it is. Absent: the caller's own. */
  readonly organisation?: string
  /** What people call it. */
  readonly name: string
  /** Notes of yours. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface TeamPatch {
  /** What people call it. */
  readonly name?: string | null
  /** Notes of yours. */
  readonly metadata?: Readonly<Record<string, string>> | null
  /** Change it only if this is still its version; as the header `If-Match`. */
  readonly version?: number
}

export interface Token {
  readonly id: string
  /** The token itself: shown this once. */
  readonly token: string
  /** RFC 3339, UTC. */
  readonly expiresAt: string
}

export interface TokenInput {
  /** How long it works: 1s to 24h. Default: as `access.tokens.ttl` says, 15m. */
  readonly ttl?: string
  /** Short for `scopes.models`. */
  readonly models?: readonly string[]
  /** What it may be used for. What is absent is not restricted; an empty list allows nothing. */
  readonly scopes?: Scopes
  /** Whom its calls are for. */
  readonly user?: string
  /** Put on every call, to sum up by. */
  readonly tags?: readonly string[]
  /** The class of service. */
  readonly tier?: string
}

export interface TopUpInput {
  /** USD. Negative: takes back what was credited by mistake. */
  readonly amount: string
  /** Shown in statements: an invoice, say. */
  readonly note?: string
  /** Of your choice: however often it is sent, it is credited once. */
  readonly reference?: string
}

export interface UsageRow {
  readonly key?: string
  readonly alias?: string
  readonly user?: string
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly tag?: string
  readonly tier?: string
  readonly route?: string
  readonly requestedModel?: string
  readonly model?: string
  readonly provider?: string
  readonly region?: string
  readonly status?: string
  readonly day?: string
  readonly hour?: string
  /** Every admitted call, running, aborted and lost ones included. */
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly reasoningTokens: number
  /** USD, as a decimal string. */
  readonly cost: string
  /** USD that the organisation is charged: cost with its mark-up. */
  readonly charge: string
  /** Calls whose cost is an estimate. */
  readonly estimated: number
  /** Calls whose cost nobody knows; they are not in `cost`. */
  readonly unpriced: number
}

export interface KeysListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface OrganisationsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface TeamsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface ProjectsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface BudgetsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface BudgetsStatusQuery {
  /** Which key, user, team …, for a budget that each has of its own. */
  readonly value?: string
}

export interface LimitsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface CreditsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
}

export interface CreditsStatementQuery {
  /** Default: the beginning of the month, in UTC. */
  readonly from?: string
  /** Excluded. Default: now. */
  readonly to?: string
}

export interface UsageGetQuery {
  /** Separated by commas: key, alias, user, organisation, team, project, tag, tier, route, requestedModel, model, provider, region, status, day, hour. Default: key. */
  readonly by?: string
  /** By the time the call began. Default: the beginning of the month, in UTC. */
  readonly from?: string
  /** Excluded. Default: now. */
  readonly to?: string
  /** Default: json. `focus`: every call, in the columns of FOCUS. */
  readonly format?: 'json' | 'csv' | 'jsonl' | 'focus'
  /** Only this key. */
  readonly key?: string
  /** Only this alias. */
  readonly alias?: string
  /** Only this user. */
  readonly user?: string
  /** Only this organisation. */
  readonly organisation?: string
  /** Only this team. */
  readonly team?: string
  /** Only this project. */
  readonly project?: string
  /** Only this tag. */
  readonly tag?: string
  /** Only this tier. */
  readonly tier?: string
  /** Only this route. */
  readonly route?: string
  /** Only this requestedModel. */
  readonly requestedModel?: string
  /** Only this model. */
  readonly model?: string
  /** Only this provider. */
  readonly provider?: string
  /** Only this region. */
  readonly region?: string
  /** Only this status. */
  readonly status?: string
}

export interface UsageEntriesQuery {
  /** By the time the call began. Default: the beginning of the month, in UTC. */
  readonly from?: string
  /** Excluded. Default: now. */
  readonly to?: string
  /** Default: jsonl. */
  readonly format?: 'csv' | 'jsonl' | 'focus'
  /** Only this key. */
  readonly key?: string
  /** Only this alias. */
  readonly alias?: string
  /** Only this user. */
  readonly user?: string
  /** Only this organisation. */
  readonly organisation?: string
  /** Only this team. */
  readonly team?: string
  /** Only this project. */
  readonly project?: string
  /** Only this tag. */
  readonly tag?: string
  /** Only this tier. */
  readonly tier?: string
  /** Only this route. */
  readonly route?: string
  /** Only this requestedModel. */
  readonly requestedModel?: string
  /** Only this model. */
  readonly model?: string
  /** Only this provider. */
  readonly provider?: string
  /** Only this region. */
  readonly region?: string
  /** Only this status. */
  readonly status?: string
}

export interface RequestsListQuery {
  /** Only this key. */
  readonly key?: string
  /** Only this alias. */
  readonly alias?: string
  /** Only this user. */
  readonly user?: string
  /** Only this organisation. */
  readonly organisation?: string
  /** Only this team. */
  readonly team?: string
  /** Only this project. */
  readonly project?: string
  /** Only this tag. */
  readonly tag?: string
  /** Only this tier. */
  readonly tier?: string
  /** Only this route. */
  readonly route?: string
  /** Only this requestedModel. */
  readonly requestedModel?: string
  /** Only this model. */
  readonly model?: string
  /** Only this provider. */
  readonly provider?: string
  /** Only this region. */
  readonly region?: string
  /** Only calls that ended with it: `429`, or a class, `4xx`. */
  readonly status?: string
  /** Only calls in this state. */
  readonly state?: 'running' | 'settled' | 'lost'
  /** Only calls that are known to have cost so much, in USD; of an organisation: that it was charged so much for. */
  readonly minCost?: string
  /** By the time the call began. Default: the first. */
  readonly from?: string
  /** Excluded. Default: now. */
  readonly to?: string
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
}

export interface AuditListQuery {
  /** Go on after this `seq`: `next` of the page before. */
  readonly after?: number
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what concerns this organisation. */
  readonly organisation?: string
}

export interface SecretsListQuery {
  /** Whose it is. Absent: the caller's own, or the installation's. */
  readonly organisation?: string
}

export interface SecretsGetQuery {
  /** Whose it is. Absent: the caller's own, or the installation's. */
  readonly organisation?: string
}

export interface SecretsRotateQuery {
  /** Whose it is. Absent: the caller's own, or the installation's. */
  readonly organisation?: string
}

export interface SecretsRemoveQuery {
  /** Whose it is. Absent: the caller's own, or the installation's. */
  readonly organisation?: string
}

export interface AdminsListQuery {
  /** Go on after this: `next` of the page before. */
  readonly after?: string
  /** Most entries of a page. */
  readonly limit?: number
  /** Only what belongs to this organisation. */
  readonly organisation?: string
}

export interface KeysListAnswer {
  readonly data: readonly Key[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface OrganisationsListAnswer {
  readonly data: readonly Organisation[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface TeamsListAnswer {
  readonly data: readonly Team[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface ProjectsListAnswer {
  readonly data: readonly Project[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface BudgetsListAnswer {
  readonly data: readonly Budget[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface KeysBudgetsAnswer {
  readonly data: readonly BudgetStatus[]
}

export interface LimitsListAnswer {
  readonly data: readonly Limit[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface CreditsListAnswer {
  readonly data: readonly CreditBalance[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface CreditsStatementAnswer {
  readonly data: readonly CreditMovement[]
}

export interface UsageGetAnswer {
  readonly rows: readonly UsageRow[]
}

export interface RequestsListAnswer {
  readonly data: readonly Call[]
  /** Give it as `after` to go on; a page may hold fewer than `limit`, or none, and have one. Absent: this was the last page. */
  readonly next?: string
}

export interface AuditListAnswer {
  readonly data: readonly AuditEntry[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

export interface SecretsListAnswer {
  readonly data: readonly Secret[]
}

export interface AdminsListAnswer {
  readonly data: readonly Admin[]
  /** Give it as `after` to go on. Absent: this was the last page. */
  readonly next?: string
}

/** For changes: refused when it has another version by now. */
export interface IfMatch {
  readonly ifMatch?: number
}

export interface AdminClient {
  readonly keys: {
    /** Every key, in the order of ids. */
    list(query?: KeysListQuery): Promise<KeysListAnswer>
    /** Makes a key. The answer shows it, this once. */
    create(body: KeyInput): Promise<NewKey>
    /** One key, without the key itself. */
    get(id: string): Promise<Key>
    /** Changes the members that are given; null takes one away. In force everywhere within a second. */
    update(id: string, body: KeyPatch, options?: IfMatch): Promise<Key>
    /** Ends it, everywhere within a second. */
    revoke(id: string): Promise<void>
    /** Gives the key a new secret. The answer shows it, this once; the one before works on for a while. */
    rotate(id: string, body?: KeyRotation): Promise<NewKey>
    /** What is spent and held of each budget that is part of a key. A member may ask for its own. */
    budgets(id: string): Promise<KeysBudgetsAnswer>
  }
  readonly tokens: {
    /** Exchanges the caller's own key or JWT for a short-lived token, narrowed to what is asked for. */
    exchange(body?: TokenInput): Promise<Token>
  }
  readonly me: {
    /** Who the caller is, and what it may. */
    get(): Promise<Me>
  }
  readonly organisations: {
    /** Every organisation, in the order of ids. */
    list(query?: OrganisationsListQuery): Promise<OrganisationsListAnswer>
    /** Makes an organisation. */
    create(body: OrganisationInput): Promise<Organisation>
    /** One organisation. */
    get(id: string): Promise<Organisation>
    /** Changes the members that are given; null takes one away. */
    update(id: string, body: OrganisationPatch, options?: IfMatch): Promise<Organisation>
    /** Deletes an organisation. */
    remove(id: string): Promise<void>
  }
  readonly teams: {
    /** Every team, in the order of ids. */
    list(query?: TeamsListQuery): Promise<TeamsListAnswer>
    /** Makes a team. */
    create(body: TeamInput): Promise<Team>
    /** One team. */
    get(id: string): Promise<Team>
    /** Changes the members that are given; null takes one away. */
    update(id: string, body: TeamPatch, options?: IfMatch): Promise<Team>
    /** Deletes a team. */
    remove(id: string): Promise<void>
  }
  readonly projects: {
    /** Every project, in the order of ids. */
    list(query?: ProjectsListQuery): Promise<ProjectsListAnswer>
    /** Makes a project. */
    create(body: ProjectInput): Promise<Project>
    /** One project. */
    get(id: string): Promise<Project>
    /** Changes the members that are given; null takes one away. */
    update(id: string, body: ProjectPatch, options?: IfMatch): Promise<Project>
    /** Deletes a project. */
    remove(id: string): Promise<void>
  }
  readonly budgets: {
    /** Every budget, in the order of ids. */
    list(query?: BudgetsListQuery): Promise<BudgetsListAnswer>
    /** Makes a budget. */
    create(body: BudgetInput): Promise<Budget>
    /** One budget. */
    get(id: string): Promise<Budget>
    /** Changes the members that are given; null takes one away. */
    update(id: string, body: BudgetPatch, options?: IfMatch): Promise<Budget>
    /** Deletes a budget. */
    remove(id: string): Promise<void>
    /** What is spent and held of a budget, and when it begins anew. */
    status(id: string, query?: BudgetsStatusQuery): Promise<BudgetStatus>
  }
  readonly limits: {
    /** Every limit, in the order of ids. */
    list(query?: LimitsListQuery): Promise<LimitsListAnswer>
    /** Makes a limit. */
    create(body: LimitInput): Promise<Limit>
    /** One limit. */
    get(id: string): Promise<Limit>
    /** Changes the members that are given; null takes one away. */
    update(id: string, body: LimitPatch, options?: IfMatch): Promise<Limit>
    /** Deletes a limit. */
    remove(id: string): Promise<void>
  }
  readonly credits: {
    /** The balance of every organisation. */
    list(query?: CreditsListQuery): Promise<CreditsListAnswer>
    /** The balance of one organisation. */
    get(organisation: string): Promise<CreditBalance>
    /** Credits an amount. */
    topUp(organisation: string, body: TopUpInput): Promise<CreditMovement>
    /** Top-ups, and what was charged on each day, oldest first. */
    statement(organisation: string, query?: CreditsStatementQuery): Promise<CreditsStatementAnswer>
  }
  readonly usage: {
    /** Calls, tokens and cost, summed up. A member sees its own only. */
    get(query?: UsageGetQuery): Promise<UsageGetAnswer>
    getText(query?: UsageGetQuery): AsyncIterable<string>
    /** Every call with what it used, oldest first: JSON Lines, CSV or FOCUS, as a stream. A member sees its own only. */
    entries(query?: UsageEntriesQuery): AsyncIterable<string>
  }
  readonly requests: {
    /** Calls, newest first, running ones among them. A member sees its own only. */
    list(query?: RequestsListQuery): Promise<RequestsListAnswer>
    /** The decision record of a call, by the id in `x-signalbox-request-id`. A member sees its own only. */
    get(id: string): Promise<DecisionRecord>
  }
  readonly audit: {
    /** What was done by whom, oldest first. */
    list(query?: AuditListQuery): Promise<AuditListAnswer>
    /** Goes through the whole log and recomputes every hash. */
    verify(): Promise<AuditVerdict>
  }
  readonly secrets: {
    /** Names and ages of the stored secrets. */
    list(query?: SecretsListQuery): Promise<SecretsListAnswer>
    /** Stores a secret under a new name. */
    create(body: SecretInput): Promise<Secret>
    /** Name and age of one secret. */
    get(name: string, query?: SecretsGetQuery): Promise<Secret>
    /** Gives a secret a new value. Calls that run keep the one before. */
    rotate(name: string, body: SecretPatch, query?: SecretsRotateQuery): Promise<Secret>
    /** Deletes a secret. */
    remove(name: string, query?: SecretsRemoveQuery): Promise<void>
    /** Wraps every secret anew, under another master key. */
    rotateMaster(body: MasterKeyRotation): Promise<MasterKeyRotated>
  }
  readonly admins: {
    /** Every admin, in the order of ids. */
    list(query?: AdminsListQuery): Promise<AdminsListAnswer>
    /** Makes an admin. The answer shows it, this once. */
    create(body: AdminInput): Promise<NewAdmin>
    /** One admin, without the key itself. */
    get(id: string): Promise<Admin>
    /** Changes the members that are given; null takes one away. In force everywhere within a second. */
    update(id: string, body: AdminPatch, options?: IfMatch): Promise<Admin>
    /** Ends it, everywhere within a second. */
    revoke(id: string): Promise<void>
    /** Gives the admin a new secret. The answer shows it, this once; the one before works on for a while. */
    rotate(id: string, body?: AdminRotation): Promise<NewAdmin>
  }
  readonly reload: {
    /** Reads the configuration again. 422 with every problem when it cannot be used; the one before stays in force. */
    run(): Promise<Reloaded>
  }
  readonly reconcile: {
    /** The report of the last run. */
    get(): Promise<ReconciliationReport>
    /** Compares the ledger with the providers’ statements now. */
    run(body?: ReconciliationInput): Promise<ReconciliationReport>
  }
  readonly openapi: {
    /** This document. */
    get(): Promise<Readonly<Record<string, unknown>>>
  }
}

export function createAdminClient(options: AdminClientOptions): AdminClient {
  const { json, text } = adminCalls(options)
  return {
    keys: {
      list: (query) => json('GET', '/keys', { query }),
      create: (body) => json('POST', '/keys', { body }),
      get: (id) => json('GET', `/keys/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/keys/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      revoke: (id) => json('DELETE', `/keys/${segment(id)}`),
      rotate: (id, body) => json('POST', `/keys/${segment(id)}/rotate`, { body: body ?? {} }),
      budgets: (id) => json('GET', `/keys/${segment(id)}/budgets`),
    },
    tokens: {
      exchange: (body) => json('POST', '/tokens', { body: body ?? {} }),
    },
    me: {
      get: () => json('GET', '/me'),
    },
    organisations: {
      list: (query) => json('GET', '/organisations', { query }),
      create: (body) => json('POST', '/organisations', { body }),
      get: (id) => json('GET', `/organisations/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/organisations/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      remove: (id) => json('DELETE', `/organisations/${segment(id)}`),
    },
    teams: {
      list: (query) => json('GET', '/teams', { query }),
      create: (body) => json('POST', '/teams', { body }),
      get: (id) => json('GET', `/teams/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/teams/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      remove: (id) => json('DELETE', `/teams/${segment(id)}`),
    },
    projects: {
      list: (query) => json('GET', '/projects', { query }),
      create: (body) => json('POST', '/projects', { body }),
      get: (id) => json('GET', `/projects/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/projects/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      remove: (id) => json('DELETE', `/projects/${segment(id)}`),
    },
    budgets: {
      list: (query) => json('GET', '/budgets', { query }),
      create: (body) => json('POST', '/budgets', { body }),
      get: (id) => json('GET', `/budgets/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/budgets/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      remove: (id) => json('DELETE', `/budgets/${segment(id)}`),
      status: (id, query) => json('GET', `/budgets/${segment(id)}/status`, { query }),
    },
    limits: {
      list: (query) => json('GET', '/limits', { query }),
      create: (body) => json('POST', '/limits', { body }),
      get: (id) => json('GET', `/limits/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/limits/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      remove: (id) => json('DELETE', `/limits/${segment(id)}`),
    },
    credits: {
      list: (query) => json('GET', '/credits', { query }),
      get: (organisation) => json('GET', `/credits/${segment(organisation)}`),
      topUp: (organisation, body) => json('POST', `/credits/${segment(organisation)}/top-ups`, { body }),
      statement: (organisation, query) => json('GET', `/credits/${segment(organisation)}/statements`, { query }),
    },
    usage: {
      get: (query) => json('GET', '/usage', { query }),
      getText: (query) => text('GET', '/usage', { query }),
      entries: (query) => text('GET', '/usage/entries', { query }),
    },
    requests: {
      list: (query) => json('GET', '/requests', { query }),
      get: (id) => json('GET', `/requests/${segment(id)}`),
    },
    audit: {
      list: (query) => json('GET', '/audit', { query }),
      verify: () => json('GET', '/audit/verify'),
    },
    secrets: {
      list: (query) => json('GET', '/secrets', { query }),
      create: (body) => json('POST', '/secrets', { body }),
      get: (name, query) => json('GET', `/secrets/${segment(name)}`, { query }),
      rotate: (name, body, query) => json('PATCH', `/secrets/${segment(name)}`, { body, query }),
      remove: (name, query) => json('DELETE', `/secrets/${segment(name)}`, { query }),
      rotateMaster: (body) => json('POST', '/master-key/rotate', { body }),
    },
    admins: {
      list: (query) => json('GET', '/admins', { query }),
      create: (body) => json('POST', '/admins', { body }),
      get: (id) => json('GET', `/admins/${segment(id)}`),
      update: (id, body, options) => json('PATCH', `/admins/${segment(id)}`, { body, ifMatch: options?.ifMatch }),
      revoke: (id) => json('DELETE', `/admins/${segment(id)}`),
      rotate: (id, body) => json('POST', `/admins/${segment(id)}/rotate`, { body: body ?? {} }),
    },
    reload: {
      run: () => json('POST', '/reload'),
    },
    reconcile: {
      get: () => json('GET', '/reconcile'),
      run: (body) => json('POST', '/reconcile', { body: body ?? {} }),
    },
    openapi: {
      get: () => json('GET', '/openapi.json'),
    },
  }
}
