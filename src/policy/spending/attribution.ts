/** Whose call it is: what the key says, and what the caller may add to it where the key leaves that free. */
import { GatewayError, invalid } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Principal } from '../../core/principal.ts'

export interface Attribution {
  readonly key: string
  readonly alias: string | undefined
  readonly user: string | undefined
  readonly organisation: string | undefined
  readonly team: string | undefined
  readonly project: string | undefined
  readonly tags: readonly string[]
  readonly tier: string | undefined
  readonly ipClass: string | undefined
}

const HEADER = 'x-signalbox-metadata'
const MAX_TAGS = 20
const MAX_LENGTH = 128

export interface Attributed {
  readonly principal: Principal
  readonly metadata?: JsonObject | undefined
  readonly tier?: string | undefined
  readonly ipClass?: string | undefined
}

/**
 * `user`, `team`, `project` and `tags` of the caller's metadata count where the key does not bind them; a key that is bound cannot speak for
 * another (`forbidden`). Tags are added to the key's. An organisation is never claimed: nobody gets into another's count.
 */
export function attributionOf({ principal, metadata, tier, ipClass }: Attributed): Attribution {
  const { id, alias, user, tenant, tags } = principal
  const { organisation, team, project } = tenant
  const own = { key: id, alias, user, organisation, team, project, tags, tier: tier ?? principal.tier, ipClass }
  if (metadata === undefined) return own
  return {
    ...own,
    user: claimed('user', user, metadata),
    // A project has one team: a key that is bound to a project is bound to that as well.
    team: project !== undefined && team === undefined ? undefined : claimed('team', team, metadata),
    project: claimed('project', project, metadata),
    tags: taggedWith(tags, metadata['tags']),
  }
}

function claimed(what: 'user' | 'team' | 'project', bound: string | undefined, metadata: JsonObject): string | undefined {
  const value = metadata[what]
  const claim = typeof value === 'number' ? String(value) : value
  if (typeof claim !== 'string' || claim === '' || claim === bound) return bound
  if (bound === undefined) return short(claim, what)
  throw new GatewayError('forbidden', `This key belongs to another ${what} than \`${HEADER}\` says.`, {
    path: `${HEADER}.${what}`,
    shouldRetry: false,
  })
}

function taggedWith(own: readonly string[], value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) return own
  const all = new Set(own)
  for (const tag of value) if (typeof tag === 'string' && tag !== '') all.add(short(tag, 'tags'))
  if (all.size > own.length + MAX_TAGS) throw invalid(`More than ${MAX_TAGS} tags.`, `${HEADER}.tags`)
  return [...all]
}

function short(text: string, what: string): string {
  if (text.length > MAX_LENGTH) throw invalid(`\`${what}\` is longer than ${MAX_LENGTH} characters.`, `${HEADER}.${what}`)
  return text
}
