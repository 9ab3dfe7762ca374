/** What access needs of cryptography. Handed in, so that deciding who calls stays free of the runtime. */
export interface AccessCrypto {
  /** SHA-256 of the whole text, base64url. */
  digest(text: string): string
  /** Fit for keys. */
  randomBytes(count: number): Uint8Array
}

/** Compares every character, whatever the ones before were: its time tells nothing of how much was right. For digests, which have one length. */
export function sameDigest(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < one.length; index++) difference |= one.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}
