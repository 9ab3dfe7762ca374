/** Principals as records keep them. */
import { compact, isObject, isString, type JsonObject } from '../../core/json.ts'
import { dollarsOf } from '../../core/money.ts'
import type { Principal, Role, Scopes } from '../../core/principal.ts'
import { roles } from '../../core/principal.ts'
import type { BudgetRule, RateRule } from '../../core/rules.ts'
import { budgetRuleOf, rateRuleOf } from '../../core/written-rules.ts'
import { scopeNames } from './scopes.ts'

/** What a key makes of its holder. */
export type KeySpec = Omit<Principal, 'kind' | 'id'> & {
  /** It is given another secret when it is as old as that. Milliseconds. */
  readonly rotateEveryMs?: number
}

export const specJson = ({ limits, budgets, tenant, scopes, tags, metadata, ...rest }: KeySpec): JsonObject =>
  compact({
    ...rest,
    ...tenant,
    tags: [...tags],
    scopes: compact({ ...scopes }) as JsonObject,
    limits: limits.map((rule): JsonObject => ({ ...rule })),
    budgets: budgets.map((rule): JsonObject => ({ ...rule, limit: dollarsOf(rule.limit) })),
    metadata: { ...metadata },
  })

/** What `specJson` wrote. Throws for what is no such thing: a key whose limits cannot be read is not let in without them. */
export function specFrom(data: JsonObject, organisation: unknown = data['organisation']): KeySpec {
  const { alias, group, role, team, project, user, tags, tier, scopes, limits, budgets, metadata, expiresAt, rotateEveryMs } = data
  return compact({
    alias: textIn(alias),
    group: textIn(group),
    role: roleIn(role),
    tenant: compact({ organisation: textIn(organisation), team: textIn(team), project: textIn(project) }),
    user: textIn(user),
    tags: textsIn(tags) ?? [],
    tier: textIn(tier),
    scopes: scopesIn(scopes),
    limits: rulesIn(limits, (id, json): RateRule => rateRuleOf(id, json, ownerOf(json))),
    budgets: rulesIn(budgets, (id, json): BudgetRule => budgetRuleOf(id, json, ownerOf(json))),
    metadata: isObject(metadata) ? (metadata as Readonly<Record<string, string>>) : {},
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
    rotateEveryMs: typeof rotateEveryMs === 'number' ? rotateEveryMs : undefined,
  }) as KeySpec
}

/** Absent lists restrict nothing, so one that cannot be read must not pass for absent. */
export function scopesIn(json: unknown): Scopes {
  if (json === undefined) return {}
  if (!isObject(json)) throw new Error('kept scopes are not readable')
  const scopes: { -readonly [Name in keyof Scopes]?: readonly string[] } = {}
  for (const name of scopeNames) {
    const list = textsIn(json[name])
    if (list) scopes[name] = list
  }
  return scopes
}

type Kept = Parameters<typeof rateRuleOf>[1] & JsonObject

const ownerOf = (json: JsonObject) => ({ by: 'key' as const, organisation: textIn(json['organisation']) })

function rulesIn<Rule>(rules: unknown, ruleOf: (id: string, json: Kept) => Rule): readonly Rule[] {
  if (rules === undefined) return []
  if (!Array.isArray(rules)) throw new Error('kept rules are not a list')
  return rules.map((json: unknown) => {
    if (!isObject(json) || !isString(json['id'])) throw new Error('a kept rule has no id')
    return ruleOf(json['id'], json as Kept)
  })
}

const textIn = (value: unknown): string | undefined => (isString(value) ? value : undefined)
const roleIn = (value: unknown): Role => roles.find((role) => role === value) ?? 'member'

export function textsIn(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every(isString)) throw new Error('a kept list of names is not readable')
  return value
}
