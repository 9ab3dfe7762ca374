/** `/budgets`: limits on spending that are not part of one key, and how far each is used. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { dollarsOf } from '../core/money.ts'
import type { BudgetRule } from '../core/rules.ts'
import { budgetRuleOf } from '../core/written-rules.ts'
import { notFound, sees } from './access.ts'
import { collection, owned } from './collection.ts'
import { wrong } from './problem.ts'
import { type Context, route } from './route.ts'
import { budgetAnswer, budgetBody, budgetShape } from './rules.ts'
import { text, time, timeOf, timeOrNone, usd } from './schema.ts'
import { checkSubject } from './subject.ts'

const source = z.enum(['config', 'admin']).describe('`config`: it stands in the configuration file, and is changed there.')
const state = z
  .object({
    budget: z.string(),
    name: z.string().optional(),
    value: z.string().optional().describe('Which key, user, team … Absent: all together.'),
    limit: usd,
    spent: usd,
    held: usd.describe('USD held by calls that run.'),
    remaining: usd.describe('USD. Never below zero.'),
    from: time.optional(),
    resets: time.optional().describe('Absent for rolling windows and `total`.'),
  })
  .meta({ id: 'BudgetStatus' })

const crud = collection({
  kind: 'budget',
  group: 'budgets',
  noun: 'budget',
  prefix: 'bud_',
  title: 'Budget',
  read: 'viewer',
  write: 'operator',
  rights: 'budget',
  shape: budgetShape,
  answer: { ...budgetAnswer, source },
  async prepare(data, organisation, context) {
    await checkSubject(data, organisation, context)
    budgetRuleOf('', data, { organisation })
    return { data, organisation }
  },
  shown: (record) => ({ ...budgetBody(budgetRuleOf(record.id, record.data, record)), source: 'admin' }),
  before: ({ services }) =>
    (services.budgets.configured?.().budgets ?? []).map((rule) => ({
      id: rule.id,
      ...budgetBody(rule),
      source: 'config',
      version: 1,
      createdAt: timeOf(0),
      updatedAt: timeOf(0),
    })),
})

async function stateOf({ services }: Context, rule: BudgetRule, value: string | undefined): Promise<z.input<typeof state>> {
  const { spent, held, from, resetsAt } = await services.budgets.state(rule, value)
  const left = rule.limit - spent - held
  return {
    budget: rule.id,
    name: rule.name,
    value,
    limit: dollarsOf(rule.limit),
    spent: dollarsOf(spent),
    held: dollarsOf(held),
    remaining: dollarsOf(left > 0n ? left : 0n),
    from: timeOrNone(from),
    resets: timeOrNone(resetsAt),
  }
}

export const budgets = [
  ...crud,
  route({
    name: 'budgets.status',
    method: 'GET',
    path: '/budgets/{id}/status',
    summary: 'What is spent and held of a budget, and when it begins anew.',
    action: 'budget.read',
    role: 'viewer',
    right: 'budget.read',
    query: z.strictObject({
      value: text().optional().describe('Which key, user, team …, for a budget that each has of its own.'),
    }),
    answer: state,
    async handle(context) {
      const { services, organisation, param, query } = context
      const plain = context as unknown as Context
      const configured =
        organisation === undefined ? services.budgets.configured?.().budgets.find((one) => one.id === param('id')) : undefined
      const record = configured ? undefined : await owned(services.records, 'budget', param('id'), organisation, 'budget')
      const rule = configured ?? budgetRuleOf(param('id'), record?.data ?? {}, { organisation: record?.organisation })
      if (rule.value !== undefined && query.value !== undefined && rule.value !== query.value)
        throw wrong('value', `this budget is for ${rule.value} only`, 'leave it out')
      const value = rule.value ?? query.value
      if (rule.by === 'all' && value !== undefined) throw wrong('value', 'this budget is one for all', 'leave it out')
      if (rule.by !== 'all' && value === undefined)
        throw wrong('value', `each ${rule.by} has this budget of its own`, `say which ${rule.by}`)
      return stateOf(plain, rule, value)
    },
  }),
  route({
    name: 'keys.budgets',
    method: 'GET',
    path: '/keys/{id}/budgets',
    summary: 'What is spent and held of each budget that is part of a key. A member may ask for its own.',
    action: 'budget.read',
    role: 'member',
    right: 'usage.own',
    answer: z.object({ data: z.array(state) }),
    async handle(context) {
      const { services, organisation, principal, param } = context
      if (principal.role === 'member' && principal.id !== param('id'))
        throw new GatewayError('forbidden', 'A key without a role sees its own budgets only.')
      const key = await services.keys.get(param('id'))
      if (!key || !sees(organisation, key.tenant.organisation)) throw notFound('key')
      const own = key.budgets.filter(({ by }) => by === 'key' || by === 'all')
      return {
        data: await Promise.all(own.map((rule) => stateOf(context as unknown as Context, rule, rule.by === 'key' ? key.id : undefined))),
      }
    },
  }),
]
