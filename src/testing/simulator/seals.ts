/**
 * The simulator's own signatures and encrypted reasoning: opaque to clients, but the simulator can tell whether one came
 * back as it was given out. They hold no secret and protect nothing.
 */
import { digestOf } from './tokens.ts'
import type { SimulatedWireId } from './types.ts'

const utf8 = new TextEncoder()
const toBase64 = (text: string): string => btoa(Array.from(utf8.encode(text), (byte) => String.fromCharCode(byte)).join(''))

/** Seals a text for a wire. `covers` is what must come back beside the seal unchanged. */
export const sealOf = (wire: SimulatedWireId, covers: string, content = ''): string => {
  const payload = `${wire}|${digestOf(covers)}|${content}`
  return toBase64(`simulator|${digestOf(payload)}|${payload}`)
}

/** Whether a seal is one of this wire's, unharmed; with `covers`, also whether it belongs to that text. */
export function sealHolds(wire: SimulatedWireId, seal: string, covers?: string): boolean {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(seal), (character) => character.charCodeAt(0)))
  } catch {
    return false
  }
  const [mark, digest, ...rest] = text.split('|')
  const payload = rest.join('|')
  if (mark !== 'simulator' || digest !== digestOf(payload) || rest[0] !== wire) return false
  return covers === undefined || rest[1] === digestOf(covers)
}
