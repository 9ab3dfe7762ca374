/**
 * `thoughtSignature` of Gemini's dialect: Google's own signatures stand there as they are. What other vendors sealed is
 * carried in it as base64, because Google's SDKs for typed languages decode the member, and one of them encodes it anew in
 * the alphabet for URLs.
 */
import type { Sealed } from '../../core/call.ts'
import { carryAll, carryList, isCarried, uncarry } from '../carrier.ts'

/** What is sealed in a thought that the client does not see, with the words it seals: some vendors want both back. */
export interface Hidden extends Sealed {
  readonly text?: string
}

export const hiddenIn = (text: string, sealed: readonly Sealed[]): Hidden[] =>
  sealed.map((one, index) => (index === 0 && text !== '' ? { ...one, text } : one))

/** How the base64 of every carrier begins. */
const MARK = 'c2J4MS'
const encoder = new TextEncoder()

export const isGoogle = (sealed: Sealed): boolean => sealed.vendor === 'google' && sealed.kind === 'thought-signature'

export const base64Of = (text: string): string => {
  let binary = ''
  for (const byte of encoder.encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Standard base64, for writers who use the alphabet for URLs or leave the padding out. */
export function plainBase64(data: string): string {
  const standard = /[-_\s]/.test(data) ? data.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/') : data
  return standard.length % 4 === 0 || standard.endsWith('=') ? standard : standard.padEnd(Math.ceil(standard.length / 4) * 4, '=')
}

/** The text of base64, undefined when it is none. */
export function textOfBase64(data: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(plainBase64(data)), (character) => character.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/** What a part's signature holds. */
export function sealedOf(signature: string): readonly Hidden[] {
  const carried = isCarried(signature) ? signature : signature.startsWith(MARK) ? textOfBase64(signature) : undefined
  return (carried === undefined ? undefined : uncarry(carried)) ?? [{ vendor: 'google', kind: 'thought-signature', value: signature }]
}

/** The signature for a part towards a client: Google's own, else what others sealed, carried. */
export function signatureOf(sealed: readonly Hidden[]): string | undefined {
  if (sealed.length === 0) return undefined
  const own = sealed.find(isGoogle)
  if (own) return own.value
  return base64Of(sealed.some(({ text }) => text !== undefined) ? carryList(sealed) : carryAll(sealed))
}
