/** Ids of items that the gateway makes, told apart from a provider's own: no provider could look them up. */
import { newId } from '../../core/id.ts'

const MARK = 'sbx'

/** `msg_sbx…`, `fc_sbx…`, `rs_sbx…`. */
export const newItemId = (prefix: string): string => newId(`${prefix}_${MARK}`)

export const madeHere = (id: unknown): boolean => typeof id === 'string' && /^(?:msg|fc|ctc|rs|ig|resp)_sbx/.test(id)
