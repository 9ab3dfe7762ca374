/** Who may do what, and see whose. */
import { GatewayError } from '../core/error.ts'
import { type Principal, type Role, roles } from '../core/principal.ts'
import type { Route } from './route.ts'

/** Strongest first, so that a smaller number is a greater power. */
const rankOf = (role: Role): number => roles.indexOf(role)
export const atLeast = (role: Role, needed: Role): boolean => rankOf(role) <= rankOf(needed)

/** The organisation that a principal is kept to; undefined: none, it sees all. Members without one see nothing but their own. */
export const organisationOf = ({ kind, tenant }: Principal): string | undefined => (kind === 'owner' ? undefined : tenant.organisation)

/** Throws `forbidden` with the role that would do. */
export function authorizeRoute({ role, wide }: Route, principal: Principal): void {
  if (!atLeast(principal.role, role))
    throw new GatewayError('forbidden', `This takes the role \`${role}\`; this credential has the role \`${principal.role}\`.`)
  if (wide && organisationOf(principal) !== undefined)
    throw new GatewayError('forbidden', 'This concerns every organisation: it takes a credential that belongs to none.')
}

/** Nobody hands out more than they have. */
export function mayGrant(principal: Principal, role: Role, path: string): void {
  if (role === 'owner')
    throw new GatewayError('forbidden', "There is one owner: the role `owner` comes with the owner's key alone.", { path })
  if (!atLeast(principal.role, role))
    throw new GatewayError('forbidden', `The role \`${role}\` is more than your own, \`${principal.role}\`.`, { path })
}

/** Whether what belongs to `organisation` is theirs to see. */
export const sees = (own: string | undefined, organisation: string | undefined): boolean => own === undefined || own === organisation

export const notFound = (what: string): GatewayError => new GatewayError('not-found', `There is no such ${what}.`)
