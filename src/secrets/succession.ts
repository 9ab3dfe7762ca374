/** Each master key signs the one that follows it: who can only write to the database cannot name a key of his own. */
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { MasterKey } from './master-key.ts'

export interface Succession {
  /** Ids of master keys. */
  readonly from: string
  readonly to: string
  /** What `to` signs with: an Ed25519 public key, base64url. */
  readonly key: string
  readonly signature: string
}

/** An Ed25519 private key is this and 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

function signingKeyOf({ bytes }: MasterKey): KeyObject {
  const seed = createHmac('sha256', bytes).update('signalbox master key succession').digest()
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
}

const publicTextOf = (key: MasterKey): string => createPublicKey(signingKeyOf(key)).export({ format: 'jwk' }).x ?? ''
const signed = (from: string, to: string, key: string): Buffer => Buffer.from(JSON.stringify(['signalbox', 1, 'succession', from, to, key]))

export function succession(old: MasterKey, next: MasterKey): Succession {
  const key = publicTextOf(next)
  const signature = sign(null, signed(old.id, next.id, key), signingKeyOf(old)).toString('base64url')
  return { from: old.id, to: next.id, key, signature }
}

/** Whether `id` follows on this key, one after the other. */
export function descends(id: string, from: MasterKey, line: readonly Succession[]): boolean {
  let at = from.id
  let key = publicTextOf(from)
  for (let step = 0; step <= line.length; step++) {
    if (at === id) return true
    const next = line.find((one) => one.from === at)
    if (!next || !holds(next, key)) return false
    at = next.to
    key = next.key
  }
  return false
}

function holds({ from, to, key, signature }: Succession, by: string): boolean {
  try {
    const signer = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: by }, format: 'jwk' })
    return verify(null, signed(from, to, key), signer, Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}
