/**
 * What keys and tokens of this gateway look like: `sb-` (`sba-` for those who manage it, `sbt-` for tokens), a visible part, 256 secret bits, a checksum. The checksum
 * tells a slip of the hand from a key that was revoked, and keeps guesses away from the store; it says nothing of the secret.
 */
import type { AccessCrypto } from './access-crypto.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const VISIBLE = 8
/** 43 × log2(62) = 256.03 bits. */
const SECRET = 43
const CHECKSUM = 6
const openings = { key: 'sb-', admin: 'sba-', token: 'sbt-' } as const
const pattern = /^sb([at]?)-[0-9A-Za-z]{57}$/
const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]*$/

export type OwnForm = 'key' | 'admin' | 'token'

export type CredentialForm =
  /** Formed as a key or token of a gateway, with a right checksum. */
  | OwnForm
  /** Would be a key or token, but for a wrong character. */
  | 'mistyped'
  | 'jwt'
  /** None of this gateway's: whatever a client sends that has to send something. */
  | 'foreign'

export function formOf(credential: string): CredentialForm {
  const own = pattern.exec(credential)
  if (own) return !checksumFits(credential) ? 'mistyped' : own[1] === 'a' ? 'admin' : own[1] === 't' ? 'token' : 'key'
  // Five segments would be an encrypted token, which nobody here can read.
  return jwtPattern.test(credential) ? 'jwt' : 'foreign'
}

export interface MadeCredential {
  /** Shown once, kept nowhere. */
  readonly credential: string
  /** SHA-256 of it: how it is found. */
  readonly digest: string
  /** What people may see, to tell keys apart. */
  readonly prefix: string
}

export function makeCredential(kind: OwnForm, { digest, randomBytes }: AccessCrypto): MadeCredential {
  const opening = openings[kind]
  const body = opening + randomWord(VISIBLE + SECRET, randomBytes)
  const credential = body + checksumOf(body)
  return { credential, digest: digest(credential), prefix: body.slice(0, opening.length + VISIBLE) }
}

function randomWord(length: number, randomBytes: AccessCrypto['randomBytes']): string {
  let word = ''
  while (word.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // Bytes from 248 on would make the first letters likelier than the others.
      if (byte < 248 && word.length < length) word += ALPHABET[byte % 62]
    }
  }
  return word
}

const checksumFits = (credential: string): boolean => credential.endsWith(checksumOf(credential.slice(0, -CHECKSUM)))

/** CRC-32, as six letters. */
function checksumOf(text: string): string {
  let crc = 0xffffffff
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index) & 0xff
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  let rest = ~crc >>> 0
  let letters = ''
  for (let place = 0; place < CHECKSUM; place++) {
    letters = ALPHABET[rest % 62] + letters
    rest = Math.floor(rest / 62)
  }
  return letters
}
