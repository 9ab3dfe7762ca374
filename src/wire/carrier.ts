/**
 * Sealed reasoning of one vendor, carried through another vendor's dialect: the client treats it as opaque and echoes
 * it. The gateway's own prefix tells it from what that dialect's vendor sealed itself.
 */
import type { Sealed } from '../core/call.ts'

const PREFIX = 'sbx1.'
const VENDORS = new Set<string>(['anthropic', 'google', 'openai', 'openrouter', 'bedrock'])
const KINDS = new Set<string>(['signature', 'redacted', 'encrypted', 'thought-signature', 'details'])

/** `sbx1.<vendor>.<kind>.<id>.<value>`; the value comes last, so it may hold dots. */
export const carry = (sealed: Sealed): string =>
  `${PREFIX}${sealed.vendor}.${sealed.kind}.${encodeURIComponent(sealed.id ?? '').replaceAll('.', '%2E')}.${sealed.value}`

export const isCarried = (value: string): boolean => value.startsWith(PREFIX)

/** Several at once, for a dialect with one place only. JSON text has no comma problem: each is quoted. */
export function carryAll(list: readonly Sealed[]): string {
  const [only] = list
  if (list.length === 1 && only) return carry(only)
  return carryList(list)
}

/** Always as a list, whose members keep what a wire added to them. */
export const carryList = (list: readonly Sealed[]): string => `${PREFIX}all.${JSON.stringify(list)}`

/** What a client echoed: the gateway's own carriers opened; undefined when it is not one of them. */
export function uncarry(value: string): readonly Sealed[] | undefined {
  if (!isCarried(value)) return undefined
  if (value.startsWith(`${PREFIX}all.`)) return listOf(value.slice(PREFIX.length + 4))
  const [vendor = '', kind = '', id = '', ...rest] = value.slice(PREFIX.length).split('.')
  if (!VENDORS.has(vendor) || !KINDS.has(kind)) return undefined
  const sealed = { vendor, kind, value: rest.join('.') } as Sealed
  return [id ? { ...sealed, id: decoded(id) } : sealed]
}

function listOf(text: string): readonly Sealed[] | undefined {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list)
      ? list.filter((one) => VENDORS.has(one?.vendor) && KINDS.has(one?.kind) && typeof one?.value === 'string')
      : undefined
  } catch {
    return undefined
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
