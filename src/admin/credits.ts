/** `/credits`: what organisations have paid in, and what is left of it. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { dollarsOf, type Nanos, nanosOf } from '../core/money.ts'
import { notFound, sees } from './access.ts'
import type { CreditAdmin } from './parts.ts'
import { wrong } from './problem.ts'
import { type Context, route } from './route.ts'
import { id, moment, msOf, pageOf, pageQuery, text, time, timeOf, usd } from './schema.ts'

const balance = z
  .object({
    organisation: z.string(),
    prepaid: z.boolean().describe('Whether it may spend no more than it has.'),
    balance: usd.describe('USD: paid in, less what was charged. May be below zero by what a call cost more than was held for it.'),
    held: usd.describe('USD held by calls that run.'),
    available: usd.describe('USD: the balance less what is held.'),
    toppedUp: usd,
    charged: usd,
  })
  .meta({ id: 'CreditBalance' })
const movement = z
  .object({
    id: z.string(),
    at: time,
    kind: z.enum(['top-up', 'adjustment', 'charge']),
    amount: usd.describe('USD; negative for what was charged.'),
    note: z.string().optional(),
  })
  .meta({ id: 'CreditMovement' })

const amountHelp = 'not an amount in USD\nwrite "25.00", or "-25.00" to take back'
const topUp = z
  .strictObject({
    amount: z
      .string({ error: amountHelp })
      .regex(/^-?\d{1,12}(\.\d{1,9})?$/, { error: amountHelp })
      .describe('USD. Negative: takes back what was credited by mistake.'),
    note: text(500).optional().describe('Shown in statements: an invoice, say.'),
    reference: id.optional().describe('Of your choice: however often it is sent, it is credited once.'),
  })
  .meta({ id: 'TopUpInput' })

const dollars = (amount: Nanos): string => dollarsOf(amount)

function creditsOf({ services }: Context): CreditAdmin {
  if (!services.credits) throw new GatewayError('not-supported', 'This gateway keeps no credit.')
  return services.credits
}

async function organisationOf(context: Context): Promise<string> {
  const organisation = context.param('organisation')
  if (!sees(context.organisation, organisation) || !(await context.services.records.get('organisation', organisation)))
    throw notFound('organisation')
  return organisation
}

async function balanceOf(credits: CreditAdmin, organisation: string): Promise<z.input<typeof balance>> {
  const { prepaid, balance: left, held, toppedUp, charged } = await credits.balance(organisation)
  return {
    organisation,
    prepaid,
    balance: dollars(left),
    held: dollars(held),
    available: dollars(left - held),
    toppedUp: dollars(toppedUp),
    charged: dollars(charged),
  }
}

export const credits = [
  route({
    name: 'credits.list',
    method: 'GET',
    path: '/credits',
    summary: 'The balance of every organisation.',
    action: 'credit.list',
    role: 'viewer',
    right: 'credit.read',
    query: pageQuery,
    answer: pageOf(balance),
    async handle(context) {
      const plain = context as unknown as Context
      const keeper = creditsOf(plain)
      const { data, next } = await context.services.records.list('organisation', { organisation: context.organisation, ...context.query })
      return { data: await Promise.all(data.map((record) => balanceOf(keeper, record.id))), next }
    },
  }),
  route({
    name: 'credits.get',
    method: 'GET',
    path: '/credits/{organisation}',
    summary: 'The balance of one organisation.',
    action: 'credit.read',
    role: 'viewer',
    right: 'credit.read',
    answer: balance,
    async handle(context) {
      const plain = context as unknown as Context
      return balanceOf(creditsOf(plain), await organisationOf(plain))
    },
  }),
  route({
    name: 'credits.topUp',
    method: 'POST',
    path: '/credits/{organisation}/top-ups',
    summary: 'Credits an amount.',
    action: 'credit.top-up',
    role: 'admin',
    right: 'credit.write',
    wide: true,
    body: topUp,
    answer: movement,
    async handle(context) {
      const plain = context as Context
      const keeper = creditsOf(plain)
      const organisation = await organisationOf(plain)
      const { amount, note, reference } = context.body
      const size = nanosOf(amount.replace('-', '')) ?? 0n
      if (size === 0n) throw wrong('amount', 'is nothing', 'write "25.00"')
      const made = await keeper.topUp(organisation, amount.startsWith('-') ? -size : size, { id: reference, note })
      context.note({ subject: `credit/${organisation}`, organisation })
      return { id: made.id, at: timeOf(made.at), kind: made.kind, amount: dollars(made.amount), note: made.note }
    },
  }),
  route({
    name: 'credits.statement',
    method: 'GET',
    path: '/credits/{organisation}/statements',
    summary: 'Top-ups, and what was charged on each day, oldest first.',
    action: 'credit.read',
    role: 'viewer',
    right: 'credit.read',
    query: z.strictObject({
      from: moment.optional().describe('Default: the beginning of the month, in UTC.'),
      to: moment.optional().describe('Excluded. Default: now.'),
    }),
    answer: z.object({ data: z.array(movement) }),
    async handle(context) {
      const plain = context as unknown as Context
      const { from, to } = periodOf(context.query, context.now())
      const moves = await creditsOf(plain).statement(await organisationOf(plain), from, to)
      return {
        data: moves.map(({ id: one, at, kind, amount, note }) => ({ id: one, at: timeOf(at), kind, amount: dollars(amount), note })),
      }
    },
  }),
]

/** Without a beginning: the current month, in UTC. */
export function periodOf(
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
): { from: number; to: number } {
  const to = query.to === undefined ? now + 1 : msOf(query.to)
  const month = new Date(now)
  const from = query.from === undefined ? Math.min(Date.UTC(month.getUTCFullYear(), month.getUTCMonth(), 1), to) : msOf(query.from)
  if (from > to) throw wrong('from', 'is after `to`', 'swap them')
  return { from, to }
}
