/** Who calls, as authentication found, and what is allowed. Made by policy, never changed; everybody else reads it. */
import type { BudgetRule, RateRule } from './rules.ts'

/** What a person or key may do in the admin API, strongest first. `member`: nothing but calls, and its own usage. */
export const roles = ['owner', 'admin', 'operator', 'viewer', 'member'] as const
export type Role = (typeof roles)[number]

/** Ids, each the child of the one before. Nothing of one organisation is visible to another. */
export interface Tenant {
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
}

/** What a key may be used for. What is absent is not restricted; an empty list allows nothing. */
export interface Scopes {
  /** Names that clients ask for: routes and `provider/model`; `provider/*` for all of a provider. */
  readonly models?: readonly string[]
  readonly tiers?: readonly string[]
  /** `chat`, `count`, `models`, `explain`, later `embed`, `image` …: the operations of `ingress/endpoints.ts`. */
  readonly endpoints?: readonly string[]
  /** MCP tools, as `server/tool`. */
  readonly tools?: readonly string[]
  /** CIDR ranges or single addresses. */
  readonly ips?: readonly string[]
}

export interface Principal {
  readonly kind: 'anonymous' | 'owner' | 'key' | 'jwt'
  /** Id of the key (also for tokens that were exchanged for it); `jwt:<issuer>:<subject>`; `owner`; `anonymous`. */
  readonly id: string
  readonly alias?: string
  readonly group?: string
  readonly role: Role
  readonly tenant: Tenant
  readonly user?: string
  readonly tags: readonly string[]
  readonly tier?: string
  readonly scopes: Scopes
  readonly limits: readonly RateRule[]
  readonly budgets: readonly BudgetRule[]
  /** Owner, deployment …: what the operator wrote beside the key. */
  readonly metadata: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly expiresAt?: number
}

export const anonymous: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  role: 'member',
  tenant: {},
  tags: [],
  scopes: {},
  limits: [],
  budgets: [],
  metadata: {},
}
