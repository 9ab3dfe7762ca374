/** The master key: 32 bytes, or a passphrase that is made into 32 bytes. It wraps data keys and nothing else. */
import { createHmac, scrypt } from 'node:crypto'
import { SecretError } from './source.ts'

export interface MasterKey {
  /** Says which key it is, and nothing of the key. */
  readonly id: string
  readonly bytes: Buffer
}

/** OWASP's recommendation for scrypt: 128 MB for a moment. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 160 * 1024 * 1024 }
const LEAST_PASSPHRASE = 16

/** `salt` is for passphrases: they come to the same key only with the same salt. */
export async function masterKeyOf(text: string, salt: Buffer): Promise<MasterKey> {
  return masterKeyFrom(rawKey(text) ?? (await stretched(text, salt)))
}

/** Of 32 bytes. */
export function masterKeyFrom(bytes: Buffer): MasterKey {
  const id = createHmac('sha256', bytes).update('signalbox master key id').digest('hex').slice(0, 16)
  return { id, bytes }
}

/** 64 hex digits, or 32 bytes as base64 or base64url. */
function rawKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 ? bytes : undefined
}

async function stretched(text: string, salt: Buffer): Promise<Buffer> {
  if (text.length < LEAST_PASSPHRASE)
    throw new SecretError(
      'malformed',
      `the master key is neither 32 bytes (base64 or hex) nor a passphrase of ${LEAST_PASSPHRASE} characters or more`,
      'make one with `openssl rand -base64 32`',
    )
  return await new Promise((resolve, reject) => {
    scrypt(text.normalize('NFKC'), salt, 32, SCRYPT, (error, bytes) => (error ? reject(error) : resolve(bytes)))
  })
}
