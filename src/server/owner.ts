/** The owner's key: given by the operator, or made at the start and shown once. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { resolveSecret, type SecretSources } from '../config/secrets.ts'

export interface Owner {
  readonly key: string
  /** By this process, since nobody gave one. */
  readonly made: boolean
}

const SHORTEST = 8
const DEFAULT = 'env:SIGNALBOX_ADMIN_KEY'

/** `before` is the owner until now: a made key stays. Throws an Error with the remedy. */
export function ownerOf({ admin }: Config, sources: SecretSources, before?: Owner): Owner {
  const secret = resolveSecret(admin.key, sources)
  if ('value' in secret && secret.value !== '') {
    const name = admin.key.startsWith('env:') ? admin.key.slice('env:'.length) : 'admin.key'
    if (secret.value.length < SHORTEST) throw new Error(`${name} is shorter than ${SHORTEST} characters: choose a longer one`)
    return { key: secret.value, made: false }
  }
  if ('fault' in secret && secret.fault === 'unset' && admin.key !== DEFAULT)
    throw new Error(`admin.key: ${secret.message} (${secret.remedy})`)
  return before?.made ? before : { key: `sb-${randomBytes(24).toString('base64url')}`, made: true }
}

/** Digests have one length, so the comparison's time says nothing of the secret's. */
export const sameSecret = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
