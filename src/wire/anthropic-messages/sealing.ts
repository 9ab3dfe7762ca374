/** Thinking and its seals as the API's blocks. Other vendors' seals travel in the signature, which clients echo unread. */
import type { Sealed } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import { carryAll } from '../carrier.ts'

/** One signature for all; empty when there is nothing to sign. */
export function signatureOf(sealed: readonly Sealed[]): string {
  const own = sealed.find(({ vendor, kind }) => vendor === 'anthropic' && kind === 'signature')
  if (own) return own.value
  return sealed.length === 0 ? '' : carryAll(sealed)
}

/** Thinking as a block; undefined when there is neither text nor a seal. */
export function thinkingOf(text: string, sealed: readonly Sealed[]): JsonObject | undefined {
  if (text === '' && sealed.length === 0) return undefined
  const [only] = sealed
  if (text === '' && only && sealed.length === 1 && only.vendor === 'anthropic' && only.kind === 'redacted')
    return { type: 'redacted_thinking', data: only.value }
  return { type: 'thinking', thinking: text, signature: signatureOf(sealed) }
}
