/** What the admin API needs of the rest of the gateway. The server hands it in; what is absent is answered with `not-supported`. */
import type { Notice, Problem } from '../config/config.ts'
import type { AuditLog } from '../core/audit.ts'
import type { Ledger } from '../core/ledger.ts'
import type { Nanos } from '../core/money.ts'
import type { Caller, Wanted } from '../core/policy.ts'
import type { Principal } from '../core/principal.ts'
import type { RecordStore } from '../core/records.ts'
import type { BudgetRule, RateRule } from '../core/rules.ts'
import type { Door } from './door.ts'

export interface AdminParts extends ReloadParts {
  /** Whether this is the owner's key, compared in constant time. */
  isOwner(credential: string): boolean
  /** Who is turned away. Default: one of its own, which writes nothing down. */
  readonly door?: Door | undefined
  /** Told of each request: the name of its operation, empty where none was found, and the status. */
  readonly answered?: ((operation: string, status: number) => void) | undefined
  /** Absent: nothing but reloading. */
  readonly services?: AdminServices | undefined
}

export interface ReloadParts {
  /** Undefined: the gateway is stopping. */
  reload(): Promise<Reloaded | undefined>
}

/** What a reload came to. */
export type Reloaded =
  | {
      readonly done: true
      readonly added: readonly string[]
      readonly changed: readonly string[]
      readonly removed: readonly string[]
      readonly needsRestart: readonly string[]
      readonly notices: readonly Notice[]
    }
  | { readonly done: false; readonly file: string | undefined; readonly problems: readonly Problem[] }

export interface AdminServices {
  readonly authenticate: Authenticate
  /** Throws `forbidden` for a key that may not be used from there, or not for the endpoint `admin`. */
  readonly authorize?: ((principal: Principal, wanted: Wanted) => void) | undefined
  /** The caller's own address, where trusted proxies stand in front. Default: the socket's. */
  readonly addressOf?: ((caller: Caller) => string | undefined) | undefined
  readonly records: RecordStore
  readonly keys: KeyAdmin
  /** Local admins: keys with a role above `member`, kept apart from those of applications. */
  readonly admins: KeyAdmin
  readonly exchange: TokenExchange
  readonly usage: UsageReader
  readonly budgets: BudgetReader
  readonly audit: AuditLog
  readonly secrets?: SecretAdmin | undefined
  readonly credits?: CreditAdmin | undefined
  readonly reconciliation?: Reconciliation | undefined
}

/** Rejects with `unauthenticated`, `forbidden`, or `store-unavailable` when nobody can tell. */
export type Authenticate = (caller: Caller) => Principal | Promise<Principal>

/** What a key is made of; the same as what it makes its holder (`Principal`). */
export type KeySpec = Omit<Principal, 'kind' | 'id'> & {
  /** It is given another secret when it is as old as that. Milliseconds. */
  readonly rotateEveryMs?: number
}

export interface ManagedKey extends KeySpec {
  readonly id: string
  readonly version: number
  /** The first letters of the key, by which people tell it from others. */
  readonly prefix: string
  /** Milliseconds since 1970, as all times here. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly rotatedAt?: number | undefined
  /** Until then the key before the last rotation is valid too. */
  readonly previousValidUntil?: number | undefined
  /** When it is rotated by itself, where it is. */
  readonly rotatesAt?: number | undefined
}

export interface Page<Item> {
  readonly data: readonly Item[]
  readonly next?: string | undefined
}

export interface PageOptions {
  readonly organisation?: string | undefined
  readonly after?: string | undefined
  readonly limit?: number
}

export interface KeyAdmin {
  list(options: PageOptions): Promise<Page<ManagedKey>>
  get(id: string): Promise<ManagedKey | undefined>
  /** `secret` is the key itself, which is kept nowhere; `createdBy` a principal's id. */
  create(spec: KeySpec, createdBy: string): Promise<{ readonly key: ManagedKey; readonly secret: string }>
  /** Rejects with `conflict` when it has another version by now, `not-found` when it is gone. */
  update(id: string, version: number, spec: KeySpec): Promise<ManagedKey>
  /** The key before stays valid for `overlapMs`. */
  rotate(id: string, options: { readonly overlapMs: number }): Promise<{ readonly key: ManagedKey; readonly secret: string }>
  /** False: there was none. */
  revoke(id: string): Promise<boolean>
  /** Whether keys with a schedule are rotated: there is a place where their successors are put. */
  rotates(): boolean
}

/** What a short-lived token may be narrowed to; it never may more than the key it was exchanged for. */
export interface TokenWish {
  readonly ttlMs?: number
  readonly scopes: Principal['scopes']
  readonly user?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly tier?: string | undefined
}

export type TokenExchange = (
  principal: Principal,
  wish: TokenWish,
) => Promise<{ readonly id: string; readonly token: string; readonly expiresAt: number }>

export type UsageReader = Pick<Ledger, 'usage' | 'find' | 'entries' | 'recent'>

export interface BudgetState {
  readonly spent: Nanos
  /** By calls that run. */
  readonly held: Nanos
  /** When its window began and ends; rolling windows have no end. */
  readonly from?: number | undefined
  readonly resetsAt?: number | undefined
}

export interface BudgetReader {
  /** `value`: which key, team … where the rule holds for each; undefined where it holds for all together. */
  state(rule: BudgetRule, value: string | undefined): Promise<BudgetState>
  /** Rules of the configuration file, shown beside those made here. */
  configured?(): { readonly budgets: readonly BudgetRule[]; readonly limits: readonly RateRule[] }
}

export interface ManagedSecret {
  readonly name: string
  readonly organisation?: string
  /** Counts up with every new value. */
  readonly version: number
  readonly createdAt: number
  /** When it got its value, and the data key that encrypts it. */
  readonly valueAt: number
  readonly keyAt: number
  /** Id of the master key that wraps that. */
  readonly masterKey: string
}

/** The built-in store of encrypted values (`secrets/secrets.ts`). */
export interface SecretAdmin {
  /** Undefined: of every organisation, and of none. */
  list(organisation?: string): Promise<readonly ManagedSecret[]>
  /** Makes it, or gives it a new value. */
  put(name: string, value: string, organisation?: string): Promise<ManagedSecret>
  remove(name: string, organisation?: string): Promise<boolean>
  /** Everything is wrapped anew, by the key behind a reference. `wrapped`: only the master key was, by a KMS; never so with `fresh`. */
  rotateMaster(
    reference: string,
    fresh?: boolean,
  ): Promise<{ readonly changed: boolean; readonly wrapped: boolean; readonly rewrapped: number; readonly failed: number }>
}

export interface CreditMovement {
  readonly id: string
  readonly at: number
  readonly kind: 'top-up' | 'adjustment' | 'charge'
  /** Negative for what was spent. */
  readonly amount: Nanos
  readonly note?: string | undefined
}

export interface CreditAdmin {
  balance(organisation: string): Promise<{
    readonly prepaid: boolean
    readonly balance: Nanos
    readonly held: Nanos
    readonly toppedUp: Nanos
    readonly charged: Nanos
  }>
  /** `id` makes it happen once, however often it is asked for. */
  topUp(
    organisation: string,
    amount: Nanos,
    options: { readonly id?: string | undefined; readonly note?: string | undefined },
  ): Promise<CreditMovement>
  /** Top-ups as they were made, charges summed by day; oldest first. */
  statement(organisation: string, from: number, to: number): Promise<readonly CreditMovement[]>
}

/** Reports as JSON. */
export interface Reconciliation {
  /** Of the last run; undefined: there was none. */
  last(): Promise<object | undefined> | object | undefined
  /** Over whole days in UTC, `to` excluded; what is left out is as configured. */
  run(ask: { readonly from?: number; readonly to?: number; readonly provider?: string }): Promise<object>
}
