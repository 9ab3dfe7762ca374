/** Who may call: with `access: { mode: keys }` and no other keys yet, whoever holds the owner's key. */
import { GatewayError } from '../core/error.ts'

/** Compares without telling by its time how much of the key was right. */
export type SameSecret = (one: string, other: string) => boolean

export function ownerOnly(key: string, same: SameSecret): (credential: string | undefined) => void {
  return (credential) => {
    if (credential === undefined)
      throw refused('This gateway wants a key: send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`.')
    if (!same(credential, key)) throw refused('This key is not known.')
  }
}

const refused = (message: string): GatewayError => new GatewayError('unauthenticated', message, { shouldRetry: false })
