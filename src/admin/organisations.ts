/** `/organisations`: the tenants. Nothing of one is visible to another. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { RecordKind } from '../core/records.ts'
import { collection } from './collection.ts'
import { metadata, text } from './schema.ts'

const markup = z.int().min(0).max(100_000)
const billings = ['postpaid', 'prepaid'] as const

export const organisations = collection({
  kind: 'organisation',
  group: 'organisations',
  noun: 'organisation',
  prefix: 'org_',
  title: 'Organisation',
  read: 'viewer',
  write: 'admin',
  rights: 'tenant',
  wide: true,
  named: true,
  self: true,
  shape: {
    name: text().describe('What people call it.'),
    markup: markup
      .optional()
      .describe('What it is charged, in parts of a thousand of cost: 1100 is ten per cent more, 900 a discount. Default: 1000.'),
    billing: z.enum(billings).optional().describe('`prepaid`: it spends what was credited (`/credits`), and no more. Default: postpaid.'),
    metadata: metadata.optional().describe('Notes of yours.'),
  },
  answer: { name: z.string(), markup: z.int(), billing: z.enum(billings), metadata: z.record(z.string(), z.string()) },
  shown: ({ data }) => ({
    name: data['name'],
    markup: data['markup'] ?? 1000,
    billing: data['billing'] ?? 'postpaid',
    metadata: data['metadata'] ?? {},
  }),
  async mayRemove({ id }, { services: { records, keys, admins } }) {
    for (const kind of ['team', 'project', 'budget', 'limit', 'secret'] as const satisfies readonly RecordKind[])
      if ((await records.list(kind, { organisation: id, limit: 1 })).data.length > 0) throw stillHas(kind)
    for (const [what, keep] of [
      ['key', keys],
      ['admin', admins],
    ] as const)
      if ((await keep.list({ organisation: id, limit: 1 })).data.length > 0) throw stillHas(what)
  },
})

export const stillHas = (what: string): GatewayError =>
  new GatewayError('conflict', `It still has a ${what}: delete what belongs to it first.`)
