/** Node's cryptography, for access. */
import { hash, randomBytes } from 'node:crypto'
import type { AccessCrypto } from './access-crypto.ts'

export const nodeCrypto: AccessCrypto = {
  digest: (text) => hash('sha256', text, 'base64url'),
  randomBytes: (count) => randomBytes(count),
}
