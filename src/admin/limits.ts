/** `/limits`: limits on rates that are not part of one key. */
import { z } from 'zod'
import { collection } from './collection.ts'
import { limitAnswer, limitBody, limitRuleOfRecord, limitShape } from './rules.ts'
import { timeOf } from './schema.ts'
import { subjectOf } from './subject.ts'

export const limits = collection({
  kind: 'limit',
  group: 'limits',
  noun: 'limit',
  prefix: 'lim_',
  title: 'Limit',
  read: 'viewer',
  write: 'operator',
  rights: 'limit',
  shape: limitShape,
  answer: {
    ...limitAnswer,
    source: z.enum(['config', 'admin']).describe('`config`: it stands in the configuration file, and is changed there.'),
  },
  prepare: async (data, organisation, context) => ({ data: await subjectOf(data, organisation, context), organisation }),
  shown: (record) => ({ ...limitBody(limitRuleOfRecord(record)), source: 'admin' }),
  before: ({ services }) =>
    (services.budgets.configured?.().limits ?? []).map((rule) => ({
      id: rule.id,
      ...limitBody(rule),
      source: 'config',
      version: 1,
      createdAt: timeOf(0),
      updatedAt: timeOf(0),
    })),
})
