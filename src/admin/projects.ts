/** `/projects`: parts of a team. */
import { z } from 'zod'
import { collection } from './collection.ts'
import { stillHas } from './organisations.ts'
import { id, metadata, text } from './schema.ts'
import { anyKey } from './teams.ts'
import { tenantFor } from './tenants.ts'

export const projects = collection({
  kind: 'project',
  group: 'projects',
  noun: 'project',
  prefix: 'prj_',
  title: 'Project',
  read: 'viewer',
  write: 'admin',
  rights: 'tenant',
  named: true,
  shape: {
    name: text().describe('What people call it.'),
    team: id.describe('The team it is of.'),
    metadata: metadata.optional().describe('Notes of yours.'),
  },
  answer: { name: z.string(), team: z.string(), metadata: z.record(z.string(), z.string()) },
  shown: ({ data }) => ({ name: data['name'], team: data['team'], metadata: data['metadata'] ?? {} }),
  async prepare(data, organisation, context) {
    const tenant = await tenantFor({ ...(organisation !== undefined && { organisation }), team: String(data['team']) }, context)
    return { data, organisation: tenant.organisation }
  },
  async mayRemove({ id, organisation }, context) {
    if (await anyKey(context, organisation, ({ project }) => project === id)) throw stillHas('key')
  },
})
