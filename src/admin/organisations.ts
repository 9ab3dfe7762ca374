/** `/organisations`: the tenants. Nothing of one is visible to another. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { RecordKind } from '../core/records.ts'
import { collection } from './collection.ts'
import { metadata, text } from './schema.ts'

const markup = z.number().min(-100).max(1_000)

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
    markup: markup.optional().describe('Per cent over cost that it is charged; negative: a discount. Default: 0.'),
    prepaid: z.boolean().optional().describe('It spends from a balance of its own (`/credits`), and no more than that. Default: false.'),
    metadata: metadata.optional().describe('Notes of yours.'),
  },
  answer: { name: z.string(), markup: z.number(), prepaid: z.boolean(), metadata: z.record(z.string(), z.string()) },
  shown: ({ data }) => ({
    name: data['name'],
    markup: data['markup'] ?? 0,
    prepaid: data['prepaid'] ?? false,
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
