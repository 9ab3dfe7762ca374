/**
 * Who calls: the owner, a gateway key, a token exchanged for one, a JWT of a trusted issuer, or anybody where access is open. Read
 * `authenticate`. A credential is only ever looked up by the SHA-256 of the whole of it: neither the time it takes nor anything in
 * memory tells how much of a guess was right. What nobody can tell now, because the store or an issuer is away, is 503, never 401.
 */
import type { AuditEvent } from '../../core/audit.ts'
import { GatewayError } from '../../core/error.ts'
import type { Access, Caller, Wanted } from '../../core/policy.ts'
import { anonymous, type Principal } from '../../core/principal.ts'
import type { RecordStore } from '../../core/records.ts'
import { type AccessCrypto, sameDigest } from './access-crypto.ts'
import { authorize, visibleModel } from './authorize.ts'
import type { Plan } from './claims.ts'
import { formOf } from './credential-form.ts'
import { createDirectory, type Directory, type DirectoryOptions, type Found, STALE_MS } from './directory.ts'
import { type IssuerSettings, type JwtVerifier, jwtVerifier } from './jwt.ts'
import type { FetchJson } from './key-set.ts'
import { keyUse } from './key-use.ts'
import { createOrigins, type Origin, type OriginSettings } from './origin.ts'
import { ownerPrincipal } from './principal-of.ts'
import {
  type ExchangedToken,
  keyOfToken,
  principalOfEntry,
  sweepTokens,
  type TokenSettings,
  type TokenWish,
  tokenPrincipal,
  tokenRecord,
} from './tokens.ts'
import { UnknownCredential } from './unknown-credential.ts'

/** What a reload may change. */
export interface AccessSettings extends OriginSettings {
  readonly mode: 'open' | 'keys'
  /** The owner's key. */
  readonly ownerKey: string | undefined
  /** How long known keys are gone by while the store cannot be reached. Default 10 minutes. */
  readonly staleMs?: number
  readonly jwt?: readonly IssuerSettings[]
  readonly plans?: Readonly<Record<string, Plan>>
  readonly tokens?: TokenSettings
}

export interface AccessOptions extends Omit<DirectoryOptions, 'records' | 'staleMs'> {
  readonly settings: AccessSettings
  readonly crypto: AccessCrypto
  /** Absent: there are no gateway keys, and no tokens. */
  readonly records?: RecordStore | undefined
  /** Told of the first use of a key in an hour from a class of addresses. Must not throw. */
  readonly audit?: (event: AuditEvent) => void
  /**
   * Told of each credential that `authenticate` does not know, with the address it came from. What to answer instead of 401, if anything.
   * Of those that are known, or were, it never hears. Absent: unknown ones are refused and no more.
   */
  readonly stranger?: (address: string | undefined, credential: string) => GatewayError | undefined
  /** How the documents of issuers are fetched. Needed where there are any. */
  readonly fetchJson?: FetchJson
}

export interface GatewayAccess extends Access {
  /** As `authenticate`, for those who keep their own count of who guesses. */
  recognize(caller: Caller): Principal | Promise<Principal>
  authorize(principal: Principal, wanted: Wanted & { readonly tool?: string | undefined }): void
  /** The caller's address, seen through trusted proxies, and its class. */
  origin(caller: Caller): Origin
  /** A short-lived token for a key or a JWT, with no more rights than it has. */
  exchange(principal: Principal, wish: TokenWish): Promise<ExchangedToken>
  configure(settings: AccessSettings): void
  /** Loads all keys. Resolves when the first try has ended, well or not; keys are looked up one by one until one succeeds. */
  load(): Promise<void>
  status(): { readonly keys: number; readonly loaded: boolean; readonly lastContact: number | undefined }
  close(): void
}

const LONGEST = 20_000
const SWEEP_MS = 600_000

export function createAccess({
  settings: first,
  crypto,
  records,
  audit,
  fetchJson,
  stranger: meet,
  ...options
}: AccessOptions): GatewayAccess {
  const { now = Date.now } = options
  let settings = first
  const directory: Directory | undefined = records && createDirectory({ records, staleMs: () => settings.staleMs ?? STALE_MS, ...options })
  const note = audit && keyUse(audit)
  let origins = createOrigins(first)
  let ownerDigest = digestOfOwner(first)
  let jwt = verifierFor(first)
  const sweeping =
    directory && records && setInterval(() => void sweepTokens(directory, records, now()), SWEEP_MS * (0.75 + Math.random() / 2)).unref()

  return {
    authenticate(caller) {
      try {
        const found = recognize(caller)
        return found instanceof Promise ? found.catch((error: unknown) => turnedAway(error, caller)) : found
      } catch (error) {
        return turnedAway(error, caller)
      }
    },
    recognize,

    known({ credential }) {
      if (credential === undefined || credential === '' || credential.length > LONGEST) return settings.mode === 'open'
      if (isAnybodys(credential)) return true
      const digest = crypto.digest(credential)
      if (ownerDigest !== undefined && sameDigest(digest, ownerDigest)) return true
      const found = directory?.get(digest)
      if (found) return directory?.current(found.entry) === true && ready(found) && !(verdictOn(found) instanceof GatewayError)
      if (jwt?.recall(digest)) return true
      return settings.mode === 'open' && isNobodys(credential)
    },

    authorize(principal, { caller, ...wanted }) {
      authorize(principal, { ...wanted, address: principal.scopes.ips && origins(caller).address })
    },
    visibleModel,
    ipClass: (caller) => origins(caller).ipClass,
    origin: (caller) => origins(caller),

    async exchange(principal, wish) {
      if (!records || !directory) throw new GatewayError('not-supported', 'There is no store for tokens.')
      const { record, ...token } = tokenRecord(principal, wish, { ...settings.tokens, crypto, now: now() })
      directory.learn(await records.create(record))
      return token
    },

    configure(next) {
      const same = textOf([settings.jwt, settings.plans]) === textOf([next.jwt, next.plans])
      if (!same) jwt = verifierFor(next)
      settings = next
      origins = createOrigins(next)
      ownerDigest = digestOfOwner(next)
    },
    load: async () => directory?.load(),
    status: () => ({ keys: directory?.size ?? 0, loaded: directory?.loaded() ?? true, lastContact: directory?.lastContact() }),
    close() {
      clearInterval(sweeping)
      directory?.close()
    },
  }

  function recognize(caller: Caller): Principal | Promise<Principal> {
    const { credential } = caller
    if (credential === undefined || credential === '') return anyone(MISSING)
    if (credential.length > LONGEST) return anyone('This key is too long to be one.')
    if (isAnybodys(credential)) return anonymous
    const digest = crypto.digest(credential)
    if (ownerDigest !== undefined && sameDigest(digest, ownerDigest)) return seen(ownerPrincipal, caller)
    const found = directory?.get(digest)
    if (directory && found) {
      if (directory.current(found.entry) && ready(found)) return seen(principalIn(found), caller)
      return confirmed(directory, digest, found, caller)
    }
    const remembered = jwt?.recall(digest)
    return remembered ? seen(remembered, caller) : stranger(credential, digest, caller)
  }

  function turnedAway(error: unknown, caller: Caller): never {
    if (meet && error instanceof UnknownCredential) throw meet(origins(caller).ip, caller.credential ?? '') ?? error
    throw error
  }

  /** With no credential, or one that cannot be this gateway's: clients that need no key send any. */
  function anyone(why: string): Principal {
    if (settings.mode === 'open') return anonymous
    throw refused(why)
  }

  /** Where access is open, what cannot be a key of anybody here is known at a glance. */
  function isAnybodys(credential: string): boolean {
    return settings.mode === 'open' && credential.length !== settings.ownerKey?.length && isNobodys(credential)
  }

  function isNobodys(credential: string): boolean {
    const form = formOf(credential)
    return form === 'foreign' || (form === 'jwt' && jwt?.concerns(credential) !== true)
  }

  /**
   * Not known here. Access may be open: a key that looks like one of this gateway's is refused all the same when it is none, since its
   * holder counts on it, and whoever took it away counts on that.
   */
  function stranger(credential: string, digest: string, caller: Caller): Principal | Promise<Principal> {
    if (isNobodys(credential)) {
      if (settings.mode === 'open') return anonymous
      throw new UnknownCredential('This key is not known.')
    }
    const form = formOf(credential)
    if (form === 'mistyped') throw new UnknownCredential('This key is mistyped: its checksum does not fit.')
    if (form === 'jwt' && jwt) return jwt.verify(credential, digest).then((principal) => seen(principal, caller))
    if (!directory) throw new UnknownCredential(UNKNOWN)
    return directory.find(form === 'admin' || form === 'token' ? form : 'key', digest).then((found) => {
      if (!found) throw directory.gone(digest) ? refused(UNKNOWN) : new UnknownCredential(UNKNOWN)
      return confirmed(directory, digest, found, caller)
    })
  }

  /** What the store has to be asked for first. */
  async function confirmed(known: Directory, digest: string, found: Found, caller: Caller): Promise<Principal> {
    const key = keyOfToken(found.entry)
    if (key !== undefined && !known.key(key)) await known.findKey(key)
    if (!known.current(found.entry)) await known.confirm(found.entry)
    return seen(principalIn(known.get(digest) ?? found), caller)
  }

  /** Whether the key of a token is at hand. Once all keys are, one that is missing is gone. */
  function ready({ entry }: Found): boolean {
    if (directory?.loaded()) return true
    const key = keyOfToken(entry)
    return key === undefined || directory?.key(key) !== undefined
  }

  function principalIn(found: Found): Principal {
    const verdict = verdictOn(found)
    if (verdict instanceof GatewayError) throw verdict
    return verdict
  }

  function verdictOn(found: Found): Principal | GatewayError {
    try {
      return judged(found)
    } catch (cause) {
      // Let in without what cannot be read, it might be let in without its limits.
      return new GatewayError('store-unavailable', 'What is kept of this key cannot be read.', { cause })
    }
  }

  function judged({ entry, until }: Found): Principal | GatewayError {
    const at = now()
    if (until <= at) return refused('This key was rotated: use the one that took its place.')
    const principal = entry.kind === 'token' ? tokenPrincipal(entry, (id) => directory?.key(id)) : principalOfEntry(entry)
    if (!principal) return refused('The key of this token was revoked.')
    if (principal.kind === 'jwt' && !jwt?.trusts(principal.metadata['issuer'] ?? ''))
      return refused('The issuer of this token is no longer trusted.')
    if (principal.expiresAt !== undefined && principal.expiresAt <= at) return refused('This key has expired.')
    return principal
  }

  function seen(principal: Principal, caller: Caller): Principal {
    note?.(principal, origins(caller), now())
    return principal
  }

  function digestOfOwner({ ownerKey }: AccessSettings): string | undefined {
    return ownerKey === undefined ? undefined : crypto.digest(ownerKey)
  }

  function verifierFor({ jwt: issuers = [], plans = {} }: AccessSettings): JwtVerifier | undefined {
    if (issuers.length === 0) return undefined
    if (!fetchJson) throw new Error('issuers of JWTs need a way to fetch their keys')
    return jwtVerifier({ issuers, plans, fetchJson, digest: crypto.digest, now })
  }
}

const MISSING = 'This gateway wants a key: send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`.'
const UNKNOWN = 'This key is not known, or was revoked.'

const refused = (message: string): GatewayError => new GatewayError('unauthenticated', message, { shouldRetry: false })

const textOf = (value: unknown): string => JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}` : one))
