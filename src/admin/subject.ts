/** Whom a budget or limit is for. One that belongs to an organisation counts nothing but its calls. */
import type { RecordKind } from '../core/records.ts'
import { sees } from './access.ts'
import type { Data } from './collection.ts'
import { wrong } from './problem.ts'
import type { Context } from './route.ts'

const kinds: Readonly<Record<string, RecordKind>> = { organisation: 'organisation', team: 'team', project: 'project' }

/** Throws where `value` names what is not there, or another's. */
export async function checkSubject(data: Data, organisation: string | undefined, { services }: Context): Promise<void> {
  const by = (data['by'] as string | undefined) ?? 'all'
  const value = data['value'] as string | undefined
  if (value === undefined) return
  if (by === 'all') throw wrong('value', 'a rule for all together has no value', 'say with `by` what it is a value of')
  if (by === 'key') {
    const key = await services.keys.get(value)
    if (!key || !sees(organisation, key.tenant.organisation)) throw wrong('value', `there is no key ${value}`, 'give the id of one')
  }
  const kind = kinds[by]
  if (kind !== undefined) {
    const record = await services.records.get(kind, value)
    if (!record || !sees(organisation, record.organisation)) throw wrong('value', `there is no ${by} ${value}`, 'give the id of one')
  }
}
