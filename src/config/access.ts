/** The section `access` of a configuration, as policy takes it. */
import { compact } from '../core/json.ts'
import type { Scopes } from '../core/principal.ts'
import { parseDuration } from '../core/units.ts'
import { budgetRuleOf, rateRuleOf, stableId } from '../core/written-rules.ts'
import type { AccessSettings } from '../policy/access/access.ts'
import type { Plan } from '../policy/access/claims.ts'
import type { IssuerSettings } from '../policy/access/jwt.ts'
import type { RotationSettings } from '../policy/access/scheduled-rotation.ts'
import type { AccessInput } from './schema-access.ts'

export interface AccessConfig extends Omit<AccessSettings, 'ownerKey'> {
  /** How long known keys are gone by while the store is away. */
  readonly staleMs: number
  /** Keys that are rotated by themselves. */
  readonly rotation?: RotationSettings
}

export function accessConfig(input: AccessInput, mode: 'open' | 'keys'): AccessConfig {
  const { stale, trustedProxies, proxyHeader, ipClasses, tokens, rotation, jwt, plans } = input
  return {
    mode,
    staleMs: msOf(stale),
    trustedProxies,
    proxyHeader,
    ...(ipClasses && { ipClasses }),
    tokens: { ttlMs: msOf(tokens.ttl), maxTtlMs: msOf(tokens.maxTtl) },
    ...(rotation && { rotation: { to: rotation.to, overlapMs: msOf(rotation.overlap) } }),
    jwt: jwt.map(issuerOf),
    plans: Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, planOf(name, plan)])),
  }
}

/** What no single member shows: pairs of a path and what is wrong there. */
export function accessProblems({
  jwt,
  plans,
  tokens,
}: AccessInput): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const problems: { readonly path: readonly (string | number)[]; readonly message: string }[] = []
  jwt.forEach((issuer, index) => {
    issuer.plans.forEach((name, place) => {
      if (!Object.hasOwn(plans, name))
        problems.push({ path: ['access', 'jwt', index, 'plans', place], message: `there is no plan ${name}\nadd it to access.plans` })
    })
  })
  if (msOf(tokens.ttl) > msOf(tokens.maxTtl))
    problems.push({ path: ['access', 'tokens', 'ttl'], message: 'longer than access.tokens.maxTtl\nmake it shorter, or raise maxTtl' })
  return problems
}

function issuerOf({ clockTolerance, claims, models, tiers, endpoints, tools, ips, ...rest }: AccessInput['jwt'][number]): IssuerSettings {
  return compact({
    ...rest,
    clockToleranceMs: msOf(clockTolerance),
    claims: compact(claims),
    scopes: compact({ models, tiers, endpoints, tools, ips }),
  }) as IssuerSettings
}

function planOf(name: string, { tier, models, tiers, endpoints, tools, ips, limits, budgets }: AccessInput['plans'][string]): Plan {
  const taken = new Set<string>()
  return {
    ...(tier !== undefined && { tier }),
    scopes: compact({ models, tiers, endpoints, tools, ips }) as Scopes,
    limits: limits.map((limit) => rateRuleOf(stableId(`plan:${name}:limit`, limit, taken), limit)),
    budgets: budgets.map((budget) => budgetRuleOf(stableId(`plan:${name}:budget`, budget, taken), budget)),
  }
}

const msOf = (text: string): number => parseDuration(text) ?? 0
