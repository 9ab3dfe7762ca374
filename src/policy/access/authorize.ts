/** What an authenticated caller may do: scopes, checked against what the call wants. */

import { type Address, type AddressRange, parseRange } from '../../core/address.ts'
import { GatewayError } from '../../core/error.ts'
import type { Wanted } from '../../core/policy.ts'
import type { Principal } from '../../core/principal.ts'
import { allows } from './scopes.ts'

export interface WantedWithAddress extends Omit<Wanted, 'caller'> {
  readonly address: Address | undefined
  /** As `server/tool`. */
  readonly tool?: string | undefined
}

/** Throws `forbidden`, and names what is missing. */
export function authorize(principal: Principal, { op, requestedModel, tier, tool, address }: WantedWithAddress): void {
  const { scopes } = principal
  if (scopes.ips && !addressAllowed(scopes.ips, address)) throw forbidden('This key may not be used from this address.')
  if (scopes.endpoints && !allows(scopes.endpoints, endpointOf(op)))
    throw forbidden(`This key may not use the endpoint \`${endpointOf(op)}\`.`)
  if (scopes.models && requestedModel !== undefined && !allows(scopes.models, requestedModel))
    throw forbidden(`This key may not use the model \`${shown(requestedModel)}\`.`)
  // A model of no tier is of none that the key may use.
  if (scopes.tiers && (tier !== undefined ? !allows(scopes.tiers, tier) : requestedModel !== undefined))
    throw forbidden(
      tier === undefined
        ? `This key may not use models of no tier, like \`${shown(requestedModel ?? '')}\`.`
        : `This key may not use the tier \`${shown(tier)}\`.`,
    )
  if (scopes.tools && tool !== undefined && !allows(scopes.tools, tool))
    throw forbidden(`This key may not use the tool \`${shown(tool)}\`.`)
}

/** Whether this name is listed for them. */
export const visibleModel = ({ scopes: { models } }: Principal, model: string): boolean => models === undefined || allows(models, model)

/** One model and all of them are one endpoint. */
const endpointOf = (op: string): string => (op === 'model' ? 'models' : op)

/** Parsed once for a principal, not for each call. */
const parsed = new WeakMap<readonly string[], readonly (AddressRange | undefined)[]>()

function addressAllowed(ranges: readonly string[], address: Address | undefined): boolean {
  if (address === undefined) return false
  let known = parsed.get(ranges)
  if (!known) {
    known = ranges.map(parseRange)
    parsed.set(ranges, known)
  }
  return known.some((range) => range?.contains(address))
}

const LONGEST_SHOWN = 200
const shown = (name: string): string => (name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name)
const forbidden = (message: string): GatewayError => new GatewayError('forbidden', message, { shouldRetry: false })
