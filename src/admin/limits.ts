/** `/limits`: limits on rates that are not part of one key. */
import { z } from 'zod'
import { rateRuleOf } from '../core/written-rules.ts'
import { collection } from './collection.ts'
import { limitAnswer, limitBody, limitShape } from './rules.ts'
import { timeOf } from './schema.ts'
import { checkSubject } from './subject.ts'

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
  async prepare(data, organisation, context) {
    await checkSubject(data, organisation, context)
    rateRuleOf('', data, { organisation })
    return { data, organisation }
  },
  shown: (record) => ({ ...limitBody(rateRuleOf(record.id, record.data, record)), source: 'admin' }),
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
