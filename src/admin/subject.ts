/** Whom a budget or limit is for. One that belongs to an organisation never counts what others do. */
import type { Json } from '../core/json.ts'
import type { RecordKind } from '../core/records.ts'
import { sees } from './access.ts'
import type { Data } from './collection.ts'
import { wrong } from './problem.ts'
import type { Context } from './route.ts'

const kinds: Readonly<Record<string, RecordKind>> = { organisation: 'organisation', team: 'team', project: 'project' }

/** The rule's data, with what holds for a whole organisation bound to it. Throws where `value` names what is not there. */
export async function subjectOf(data: Data, organisation: string | undefined, { services }: Context): Promise<Data> {
  const by = (data['by'] as string | undefined) ?? 'all'
  const value = data['value'] as string | undefined
  if (by === 'all' && value !== undefined)
    throw wrong('value', 'a rule for all together has no value', 'say with `by` what it is a value of')
  if (organisation !== undefined && (by === 'all' || (by === 'organisation' && value === undefined)))
    return { ...data, by: 'organisation', value: organisation } as Readonly<Record<string, Json>>
  if (value === undefined) return data
  if (by === 'key') {
    const key = await services.keys.get(value)
    if (!key || !sees(organisation, key.tenant.organisation)) throw wrong('value', `there is no key ${value}`, 'give the id of one')
  }
  const kind = kinds[by]
  if (kind !== undefined) {
    const record = await services.records.get(kind, value)
    if (!record || !sees(organisation, record.organisation)) throw wrong('value', `there is no ${by} ${value}`, 'give the id of one')
  }
  return data
}
