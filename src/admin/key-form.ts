/** Keys as the API takes and tells them; those of applications and those of admins have the same members. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { compact } from '../core/json.ts'
import type { Principal } from '../core/principal.ts'
import type { BudgetRule, RateRule } from '../core/rules.ts'
import { writtenDuration } from '../core/units.ts'
import { budgetRuleOf, rateRuleOf } from '../core/written-rules.ts'
import type { KeySpec, ManagedKey } from './parts.ts'
import { wrong } from './problem.ts'
import type { Context } from './route.ts'
import { budgetBody, keepId, keyBudget, keyBudgetBody, keyLimit, keyLimitBody, limitBody } from './rules.ts'
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
  rotateEvery: span
    .optional()
    .refine((text) => text === undefined || isSchedule(spanMs(text)), { error: 'not a schedule\nwrite a duration from "1m" to "3650d"' })
    .describe('It is given another secret when it is as old as that; its holder finds the new one at `access.rotation.to`.'),
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
  rotatedAt: time.optional(),
  rotateEvery: z.string().optional().describe('It is rotated by itself when it is as old as that.'),
  rotatesAt: time.optional().describe('When that is due.'),
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
  rotatedAt: timeOrNone(key.rotatedAt),
  rotateEvery: key.rotateEveryMs === undefined ? undefined : writtenDuration(key.rotateEveryMs),
  rotatesAt: timeOrNone(key.rotatesAt),
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
    rotatedAt: _ra,
    rotatesAt: _rat,
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
  const given = input.budgets ?? []
  const limited = input.limits ?? []
  const ruleOfBudget = (index: number, ruleId: string): BudgetRule =>
    budgetRuleOf(ruleId, withoutId(given[index]), { by: 'key', path: `budgets[${index}]` })
  const ruleOfLimit = (index: number, ruleId: string): RateRule =>
    rateRuleOf(ruleId, withoutId(limited[index]), { by: 'key', path: `limits[${index}]` })
  const budgetIds = named(given, 'budgets', (one, index) => {
    const counts = countOf(ruleOfBudget(index, ''))
    return keepId(one.id, budgetsLeft, (kept) => countOf(kept) === counts, 'bud_')
  })
  const limitIds = named(limited, 'limits', (one, index) => {
    const counts = countOf(ruleOfLimit(index, ''))
    return keepId(one.id, limitsLeft, (kept) => countOf(kept) === counts, 'lim_')
  })
  return {
    role: keyRole,
    tenant,
    tags,
    scopes: compact({ ...input.scopes, models: models ?? input.scopes?.models }) as Principal['scopes'],
    budgets: budgetIds.map((ruleId, index) => ruleOfBudget(index, ruleId)),
    limits: limitIds.map((ruleId, index) => ruleOfLimit(index, ruleId)),
    metadata: input.metadata ?? {},
    ...(compact({
      alias,
      group,
      user,
      tier,
      expiresAt: expiryOf(input, context.now(), before?.expiresAt),
      rotateEveryMs: scheduleOf(input, context, before),
    }) as Partial<KeySpec>),
  }
}

/** An id for each. Those that name their rule come first, so that no other takes it. */
function named<Input extends { readonly id?: string | undefined }>(
  inputs: readonly Input[],
  path: string,
  idOf: (input: Input, index: number) => string | undefined,
): readonly string[] {
  const ids: string[] = []
  for (const explicit of [true, false])
    inputs.forEach((input, index) => {
      if ((input.id !== undefined) !== explicit) return
      const found = idOf(input, index)
      if (found === undefined) throw wrong(`${path}[${index}].id`, 'the key has no such rule', 'leave it out for a new one')
      ids[index] = found
    })
  return ids
}

const withoutId = ({
  id: _,
  ...rest
}: {
  readonly id?: string | undefined
} = {}): Parameters<typeof budgetRuleOf>[1] & Parameters<typeof rateRuleOf>[1] =>
  rest as Parameters<typeof budgetRuleOf>[1] & Parameters<typeof rateRuleOf>[1]

/** Rules that differ in no more than their limit, name and consequences count the same. */
const countOf = (rule: BudgetRule | RateRule): string => {
  const { by, value, models, tiers } = rule
  return JSON.stringify([by, value, models, tiers, 'what' in rule ? [rule.what, rule.windowMs] : [rule.window, rule.timeZone ?? 'UTC']])
}

function expiryOf({ expiresAt, expiresIn }: KeyInput, now: number, before: number | undefined): number | undefined {
  if (expiresAt !== undefined && expiresIn !== undefined) throw wrong('expiresIn', 'is given beside `expiresAt`', 'say one of them')
  if (expiresIn !== undefined) return now + spanMs(expiresIn)
  if (expiresAt === undefined) return undefined
  const at = msOf(expiresAt)
  // A key that has expired may still be renamed.
  if (at <= now && at !== before) throw wrong('expiresAt', `${expiresAt} has passed`, 'delete the key to end it now')
  return at
}

function scheduleOf({ rotateEvery }: KeyInput, { services }: Context, before: ManagedKey | undefined): number | undefined {
  if (rotateEvery === undefined) return undefined
  const every = spanMs(rotateEvery)
  // A key that has a schedule may be changed although its place is gone.
  if (!services.keys.rotates() && every !== before?.rotateEveryMs)
    throw wrong('rotateEvery', 'there is no place where successors could be put', 'set `access.rotation.to` in the configuration')
  return every
}

function isSchedule(ms: number): boolean {
  return ms >= 60_000 && ms <= 3_650 * 86_400_000
}

function isRange(range: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const kind = isIP(address)
  return kind !== 0 && (bits === undefined || Number(bits) <= (kind === 4 ? 32 : 128))
}

export const gone = (noun: string): GatewayError => new GatewayError('not-found', `There is no such ${noun}.`)
