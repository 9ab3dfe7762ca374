/** `/audit`: who did what, and whether the log is whole. */
import { z } from 'zod'
import { route } from './route.ts'
import { id, time, timeOf } from './schema.ts'

const entry = z
  .object({
    seq: z.int().describe('Without gaps, from 1.'),
    at: time,
    actor: z.string().describe('Id of a principal, `owner` or `system`.'),
    action: z.string(),
    subject: z.string(),
    organisation: z.string().optional(),
    ip: z.string().optional(),
    detail: z.record(z.string(), z.unknown()).optional(),
    previous: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' })

export const audit = [
  route({
    name: 'audit.list',
    method: 'GET',
    path: '/audit',
    summary: 'What was done by whom, oldest first.',
    action: 'audit.read',
    role: 'operator',
    right: 'audit.read',
    query: z.strictObject({
      after: z.coerce.number().int().min(0).optional().describe('Go on after this `seq`: `next` of the page before.'),
      limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Most entries of a page.'),
      organisation: id.optional().describe('Only what concerns this organisation.'),
    }),
    answer: z.object({
      data: z.array(entry),
      next: z.string().optional().describe('Give it as `after` to go on. Absent: this was the last page.'),
    }),
    async handle({ services, organisation, query }) {
      const { after, limit, organisation: asked } = query
      if (organisation !== undefined && asked !== undefined && asked !== organisation) return { data: [] }
      const found = await services.audit.list({ organisation: organisation ?? asked, after, limit: limit + 1 })
      const data = found.slice(0, limit).map(({ at, detail, ...rest }) => ({ ...rest, at: timeOf(at), detail: detail && { ...detail } }))
      return { data, next: found.length > limit ? String(data.at(-1)?.seq) : undefined }
    },
  }),
  route({
    name: 'audit.verify',
    method: 'GET',
    path: '/audit/verify',
    summary: 'Goes through the whole log and recomputes every hash.',
    action: 'audit.read',
    role: 'operator',
    right: 'audit.read',
    wide: true,
    answer: z
      .object({
        whole: z.boolean(),
        entries: z.int(),
        brokenAt: z.int().optional().describe('The first entry that does not fit.'),
        why: z.string().optional(),
      })
      .meta({ id: 'AuditVerdict' }),
    async handle({ services }) {
      const { entries, brokenAt, why } = await services.audit.verify()
      return { whole: brokenAt === undefined, entries, brokenAt, why }
    },
  }),
]
