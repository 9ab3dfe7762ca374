/** Keys as the API takes and tells them; those of applications and those of admins have the same members. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { compact } from '../core/json.ts'
import type { Principal } from '../core/principal.ts'
import type { BudgetRule, RateRule } from '../core/rules.ts'
import type { KeySpec, ManagedKey } from './parts.ts'
import { wrong } from './problem.ts'
import type { Context } from './route.ts'
import { budgetBody, budgetRuleOf, keepId, keyBudget, keyBudgetBody, keyLimit, keyLimitBody, limitBody, limitRuleOf } from './rules.ts'
import { id, metadata, moment, msOf, role, span, spanMs, text, time, timeOf, timeOrNone, words } from './schema.ts'
import { tenantFor } from './tenants.ts'

const endpointHelp = 'not an endpoint\nwrite `chat`, `count`, `models`, `explain` …'
const rangeHelp = 'not an address or range\nwrite 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32'

const scopeShape = {
  models: words().optional().describe('Names it may ask for: routes, `provider/model`, `provider/*`.'),
  tiers: words(100).optional().describe('Tiers it may ask for.'),
  endpoints: z
    .array(z.string().regex(/^[a-z][a-z*-]*$|^\*$/, { error: endpointHelp }))
    .max(100)
    .optional()
    .describe('What it may do: chat, count, models, explain …'),
  tools: z
    .array(z.string().regex(/^[^/]+\/.+$|^\*$/, { error: 'not a tool\nwrite `server/tool` or `server/*`' }))
    .max(1_000)
    .optional()
    .describe('MCP tools it may call, as `server/tool`.'),
  ips: z
    .array(z.string().refine(isRange, { error: rangeHelp }))
    .max(1_000)
    .optional()
    .describe('Addresses it may be used from, as CIDR ranges.'),
}
export const scopes = z.strictObject(scopeShape).meta({ id: 'Scopes' })

export const keyShape = {
  alias: text(100).optional().describe('What people call it.'),
  group: text(100).optional().describe('Keys of one group can be told together in reports.'),
  organisation: id.optional().describe("Whose it is. Absent: the caller's own."),
  team: id.optional().describe('The team it is of.'),
  project: id.optional().describe('The project it is of.'),
  user: text().optional().describe('Whom its calls are for.'),
  tags: words(50).optional().describe('Put on every call, to sum up by.'),
  tier: text(100).optional().describe('The class of service.'),
  models: scopeShape.models.describe('Short for `scopes.models`.'),
  scopes: scopes.optional().describe('What it may be used for. What is absent is not restricted; an empty list allows nothing.'),
  limits: z.array(keyLimitBody).max(50).optional().describe('Limits on rates.'),
  budgets: z.array(keyBudgetBody).max(50).optional().describe('Limits on spending.'),
  metadata: metadata.optional().describe('Owner, deployment: notes of yours.'),
  expiresAt: moment.optional().describe('When it stops working.'),
  expiresIn: span.optional().describe('The same, as a duration from now.'),
  disabled: z.boolean().optional().describe('Refused, without being forgotten.'),
}
export const keyInput = z.strictObject(keyShape)
export type KeyInput = z.output<typeof keyInput>

const strings = z.array(z.string())
export const keyAnswerShape = {
  id: z.string().describe('Opaque.'),
  prefix: z.string().describe('How the key begins, to tell it from others.'),
  alias: z.string().optional(),
  group: z.string().optional(),
  role,
  organisation: z.string().optional(),
  team: z.string().optional(),
  project: z.string().optional(),
  user: z.string().optional(),
  tags: strings,
  tier: z.string().optional(),
  models: strings.optional().describe('As `scopes.models`.'),
  scopes,
  limits: z.array(keyLimit),
  budgets: z.array(keyBudget),
  metadata: z.record(z.string(), z.string()),
  expiresAt: time.optional(),
  disabled: z.boolean(),
  previousValidUntil: time.optional().describe('Until then the key before the last rotation works too.'),
  version: z.int().describe('Counts up with every change.'),
  createdAt: time,
  updatedAt: time,
}

export const shownKey = (key: ManagedKey) => ({
  id: key.id,
  prefix: key.prefix,
  alias: key.alias,
  group: key.group,
  role: key.role,
  ...key.tenant,
  user: key.user,
  tags: [...key.tags],
  tier: key.tier,
  models: key.scopes.models && [...key.scopes.models],
  scopes: shownScopes(key.scopes),
  limits: key.limits.map((limit) => ({ id: limit.id, ...limitBody(limit) })),
  budgets: key.budgets.map((budget) => ({ id: budget.id, ...budgetBody(budget) })),
  metadata: { ...key.metadata },
  expiresAt: timeOrNone(key.expiresAt),
  disabled: key.disabled ?? false,
  previousValidUntil: timeOrNone(key.previousValidUntil),
  version: key.version,
  createdAt: timeOf(key.createdAt),
  updatedAt: timeOf(key.updatedAt),
})

export const shownScopes = ({ models, tiers, endpoints, tools, ips }: Principal['scopes']) => ({
  models: models && [...models],
  tiers: tiers && [...tiers],
  endpoints: endpoints && [...endpoints],
  tools: tools && [...tools],
  ips: ips && [...ips],
})

/** The key as it is asked for, in the form that a later change starts from. */
export function inputOf(key: ManagedKey): KeyInput {
  const {
    id: _id,
    prefix: _p,
    role: _r,
    models: _m,
    scopes: own,
    previousValidUntil: _pv,
    version: _v,
    createdAt: _c,
    updatedAt: _u,
    ...rest
  } = shownKey(key)
  return compact({ ...rest, scopes: compact(own) }) as KeyInput
}

/** `before`: the key that is changed. */
export async function specOf(input: KeyInput, keyRole: Principal['role'], context: Context, before?: ManagedKey): Promise<KeySpec> {
  const { alias, group, organisation, team, project, user, tags = [], tier, models } = input
  if (models !== undefined && input.scopes?.models !== undefined)
    throw wrong('models', 'stands in `scopes.models` as well', 'write one of them')
  const tenant = await tenantFor(compact({ organisation, team, project }) as Principal['tenant'], context)
  const budgetsLeft: BudgetRule[] = [...(before?.budgets ?? [])]
  const limitsLeft: RateRule[] = [...(before?.limits ?? [])]
  // Those that name their rule come first, so that no other takes it.
  const asBudget = named(input.budgets ?? [], 'budgets', (one) => {
    const rule = budgetRuleOf('', one, 'key')
    return keepId(one.id, budgetsLeft, (kept) => sameCount(kept, rule), 'bud_')
  })
  const asLimit = named(input.limits ?? [], 'limits', (one) => {
    const rule = limitRuleOf('', one, 'key')
    return keepId(one.id, limitsLeft, (kept) => sameCount(kept, rule), 'lim_')
  })
  return {
    role: keyRole,
    tenant,
    tags,
    scopes: compact({ ...input.scopes, models: models ?? input.scopes?.models }) as Principal['scopes'],
    ...(input.disabled && { disabled: true }),
    budgets: (input.budgets ?? []).map((one, index) => budgetRuleOf(asBudget[index] ?? '', one, 'key')),
    limits: (input.limits ?? []).map((one, index) => limitRuleOf(asLimit[index] ?? '', one, 'key')),
    metadata: input.metadata ?? {},
    ...(compact({ alias, group, user, tier, expiresAt: expiryOf(input, context.now(), before?.expiresAt) }) as Partial<KeySpec>),
  }
}

function named<Input extends { readonly id?: string | undefined }>(
  inputs: readonly Input[],
  path: string,
  idOf: (input: Input) => string | undefined,
): readonly string[] {
  const ids: string[] = []
  for (const explicit of [true, false])
    inputs.forEach((input, index) => {
      if ((input.id !== undefined) !== explicit) return
      const found = idOf(input)
      if (found === undefined) throw wrong(`${path}[${index}].id`, 'the key has no such rule', 'leave it out for a new one')
      ids[index] = found
    })
  return ids
}

/** Rules that differ in no more than their limit, name and consequences count the same. */
const sameCount = (one: BudgetRule | RateRule, other: BudgetRule | RateRule): boolean => countOf(one) === countOf(other)
const countOf = (rule: BudgetRule | RateRule): string =>
  JSON.stringify(
    'what' in rule
      ? [rule.what, rule.windowMs, rule.by, rule.value, rule.models]
      : [rule.window, rule.timeZone ?? 'UTC', rule.by, rule.value, rule.models],
  )

function expiryOf({ expiresAt, expiresIn }: KeyInput, now: number, before: number | undefined): number | undefined {
  if (expiresAt !== undefined && expiresIn !== undefined) throw wrong('expiresIn', 'is given beside `expiresAt`', 'say one of them')
  if (expiresIn !== undefined) return now + spanMs(expiresIn)
  if (expiresAt === undefined) return undefined
  const at = msOf(expiresAt)
  // A key that has expired may still be renamed.
  if (at <= now && at !== before) throw wrong('expiresAt', `${expiresAt} has passed`, 'delete the key to end it now')
  return at
}

function isRange(range: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const kind = isIP(address)
  return kind !== 0 && (bits === undefined || Number(bits) <= (kind === 4 ? 32 : 128))
}

export const gone = (noun: string): GatewayError => new GatewayError('not-found', `There is no such ${noun}.`)
