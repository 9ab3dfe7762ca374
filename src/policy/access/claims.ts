/** Claims of a verified JWT, as a principal. What a claim names but nobody here knows makes it weaker, never stronger. */
import { GatewayError } from '../../core/error.ts'
import { compact, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { type Principal, type Role, roles, type Scopes } from '../../core/principal.ts'
import type { BudgetRule, RateRule } from '../../core/rules.ts'
import { intersected } from './scopes.ts'

/** Where each fact stands: the name of a claim, or a path with dots (`realm_access.roles`). */
export interface ClaimNames {
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  /** Default `sub`. */
  readonly user?: string
  readonly tier?: string
  readonly role?: string
  readonly tags?: string
  readonly models?: string
  /** Names of plans. */
  readonly plans?: string
}

/** Limits, budgets and scopes under a name, for claims to refer to. */
export interface Plan {
  readonly tier?: string
  readonly scopes?: Scopes
  readonly limits: readonly RateRule[]
  readonly budgets: readonly BudgetRule[]
}

export interface ClaimSettings {
  readonly claims?: ClaimNames
  /** These hold for everyone from this issuer, whatever the token says. */
  readonly organisation?: string
  readonly team?: string
  readonly project?: string
  readonly tier?: string
  readonly scopes?: Scopes
  /** Plans that hold for everyone. */
  readonly plans?: readonly string[]
  /** The role that a value of the role claim stands for. Without it, values that are names of roles count, `owner` excepted. */
  readonly roles?: Readonly<Record<string, Role>>
}

const LONGEST = 200
const LONGEST_ID = 120

export function principalOfClaims(
  payload: JsonObject,
  settings: ClaimSettings,
  plans: Readonly<Record<string, Plan>>,
  digest: (text: string) => string,
): Principal {
  const { claims = {} } = settings
  const chosen = [...new Set([...(settings.plans ?? []), ...wordsAt(payload, claims.plans)])].map((name) => planNamed(plans, name))
  const models = claims.models === undefined ? undefined : listAt(payload, claims.models)
  const scopes = [settings.scopes, ...chosen.map((plan) => plan.scopes)].reduce<Scopes>(
    (held, more) => (more ? intersected(held, more) : held),
    models === undefined ? {} : { models },
  )
  const planTier = chosen.find((plan) => plan.tier !== undefined)?.tier
  return compact({
    kind: 'jwt' as const,
    id: subjectId(payload, digest),
    role: roleOf(wordsAt(payload, claims.role), settings.roles),
    tenant: compact({
      organisation: settings.organisation ?? wordAt(payload, claims.organisation),
      team: settings.team ?? wordAt(payload, claims.team),
      project: settings.project ?? wordAt(payload, claims.project),
    }),
    user: wordAt(payload, claims.user ?? 'sub'),
    tags: wordsAt(payload, claims.tags),
    tier: settings.tier ?? wordAt(payload, claims.tier) ?? planTier,
    scopes,
    limits: chosen.flatMap((plan) => plan.limits),
    budgets: chosen.flatMap((plan) => plan.budgets),
    metadata: { issuer: String(payload['iss']) },
    expiresAt: Number(payload['exp']) * 1_000,
  })
}

/** Short and printable, since counters are named by it. */
function subjectId(payload: JsonObject, digest: (text: string) => string): string {
  const subject = isString(payload['sub']) && payload['sub'] !== '' ? payload['sub'] : undefined
  const id = `jwt:${payload['iss']}:${subject ?? `client-${digest(JSON.stringify(payload['azp'] ?? payload['client_id'] ?? payload['aud'] ?? null))}`}`
  return id.length <= LONGEST_ID && /^[\x21-\x7e]+$/.test(id) ? id : `jwt:${digest(id)}`
}

function planNamed(plans: Readonly<Record<string, Plan>>, name: string): Plan {
  const plan = Object.hasOwn(plans, name) ? plans[name] : undefined
  // Without it, limits that somebody relies on would not hold.
  if (!plan)
    throw new GatewayError('forbidden', `This token names the plan \`${name}\`, which \`access.plans\` does not have.`, {
      shouldRetry: false,
    })
  return plan
}

/** The strongest of those named. */
function roleOf(words: readonly string[], mapped: Readonly<Record<string, Role>> | undefined): Role {
  const named = words.flatMap((word): readonly (Role | undefined)[] => {
    if (mapped) return [Object.hasOwn(mapped, word) ? mapped[word] : undefined]
    return [word === 'owner' ? undefined : roles.find((role) => role === word)]
  })
  return roles.find((role) => named.includes(role)) ?? 'member'
}

/** A claim whose own name holds dots comes before a path. */
function claimAt(payload: JsonObject, name: string | undefined): Json | undefined {
  if (name === undefined) return undefined
  if (Object.hasOwn(payload, name)) return payload[name]
  let value: Json | undefined = payload
  for (const part of name.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

const usable = (word: unknown): word is string => isString(word) && word !== '' && word.length <= LONGEST

function wordAt(payload: JsonObject, name: string | undefined): string | undefined {
  const value = claimAt(payload, name)
  const word = Array.isArray(value) ? value[0] : typeof value === 'number' ? String(value) : value
  return usable(word) ? word : undefined
}

/** A list, or words with spaces or commas between them. */
function wordsAt(payload: JsonObject, name: string | undefined): readonly string[] {
  const value = claimAt(payload, name)
  if (Array.isArray(value)) return value.filter(usable)
  return isString(value) ? value.split(/[\s,]+/).filter(usable) : []
}

/** Absent: not restricted by the token. Anything that is no list allows nothing. */
const listAt = (payload: JsonObject, name: string): readonly string[] | undefined =>
  claimAt(payload, name) === undefined ? undefined : wordsAt(payload, name)
