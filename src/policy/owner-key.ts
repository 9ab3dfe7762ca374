/** Who may call: with `access: { mode: keys }` and no other keys yet, whoever holds the owner's key. */
import { GatewayError } from '../core/error.ts'
import type { Access } from '../core/policy.ts'
import { anonymous, type Principal } from '../core/principal.ts'

/** Compares without telling by its time how much of the key was right. */
export type SameSecret = (one: string, other: string) => boolean

/** Access for whoever holds the owner's key, and nobody else. */
export function ownerOnly(key: () => string, same: SameSecret): Access {
  const owner: Principal = { ...anonymous, kind: 'owner', id: 'owner', role: 'owner' }
  return {
    authenticate({ credential }) {
      if (credential === undefined)
        throw refused('This gateway wants a key: send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`.')
      if (!same(credential, key())) throw refused('This key is not known.')
      return owner
    },
    known: ({ credential }) => credential !== undefined && same(credential, key()),
    authorize() {},
    visibleModel: () => true,
    ipClass: () => 'external',
  }
}

const refused = (message: string): GatewayError => new GatewayError('unauthenticated', message, { shouldRetry: false })
