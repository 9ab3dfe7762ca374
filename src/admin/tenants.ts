/** Where a key, team or project belongs: organisation → team → project, each the child of the one before. */
import type { Tenant } from '../core/principal.ts'
import { sees } from './access.ts'
import { organisationFor } from './collection.ts'
import { wrong } from './problem.ts'
import type { Context } from './route.ts'

/** All three, completed from the lowest that is given. Throws where they do not belong together, or to the caller. */
export async function tenantFor(asked: Tenant, context: Context): Promise<Tenant> {
  const { records } = context.services
  let organisation = await organisationFor(asked.organisation, context)
  let { team } = asked
  const { project } = asked
  const fits = (found: string | undefined): boolean =>
    sees(context.organisation, found) && (organisation === undefined || organisation === found)
  if (project !== undefined) {
    const record = await records.get('project', project)
    if (!record || !fits(record.organisation)) throw nothing('project', project)
    const parent = String(record.data['team'])
    if (team !== undefined && team !== parent)
      throw wrong('project', `the project ${project} is not of the team ${team}`, `its team is ${parent}`)
    team = parent
    organisation = record.organisation
  }
  if (team !== undefined) {
    const record = await records.get('team', team)
    if (!record || !fits(record.organisation)) throw nothing('team', team)
    organisation = record.organisation
  }
  return {
    ...(organisation !== undefined && { organisation }),
    ...(team !== undefined && { team }),
    ...(project !== undefined && { project }),
  }
}

const nothing = (kind: 'team' | 'project', id: string): Error =>
  wrong(kind, `there is no ${kind} ${id}`, `create it with POST /admin/v1/${kind}s, and give its id`)
