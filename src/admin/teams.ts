/** `/teams`: parts of an organisation, or of an installation that has none. */
import { z } from 'zod'
import { collection } from './collection.ts'
import { stillHas } from './organisations.ts'
import type { Context } from './route.ts'
import { metadata, text } from './schema.ts'

export const teams = collection({
  kind: 'team',
  group: 'teams',
  noun: 'team',
  prefix: 'team_',
  title: 'Team',
  read: 'viewer',
  write: 'admin',
  rights: 'tenant',
  named: true,
  shape: { name: text().describe('What people call it.'), metadata: metadata.optional().describe('Notes of yours.') },
  answer: { name: z.string(), metadata: z.record(z.string(), z.string()) },
  shown: ({ data }) => ({ name: data['name'], metadata: data['metadata'] ?? {} }),
  async mayRemove({ id, organisation }, context) {
    if (await anyRecord(context, 'project', organisation, (data) => data['team'] === id)) throw stillHas('project')
    if (await anyKey(context, organisation, ({ team }) => team === id)) throw stillHas('key')
  },
})

export async function anyRecord(
  { services: { records } }: Context,
  kind: 'project',
  organisation: string | undefined,
  matches: (data: Readonly<Record<string, unknown>>) => boolean,
): Promise<boolean> {
  for (let after: string | undefined; ; ) {
    const { data, next } = await records.list(kind, { organisation, after, limit: 1_000 })
    if (data.some((record) => matches(record.data))) return true
    if (next === undefined) return false
    after = next
  }
}

export async function anyKey(
  { services: { keys } }: Context,
  organisation: string | undefined,
  matches: (tenant: { readonly team?: string; readonly project?: string }) => boolean,
): Promise<boolean> {
  for (let after: string | undefined; ; ) {
    const { data, next } = await keys.list({ organisation, after, limit: 1_000 })
    if (data.some(({ tenant }) => matches(tenant))) return true
    if (next === undefined) return false
    after = next
  }
}
