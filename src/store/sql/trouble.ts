/** What a failed query means: the database is out of reach, or the query broke one of its rules. */
import { GatewayError } from '../../core/error.ts'

export const storeUnavailable = (message: string, cause?: unknown): GatewayError =>
  new GatewayError('store-unavailable', message, { retryAfterMs: 1_000, ...(cause === undefined ? {} : { cause }) })

interface DriverError {
  /** SQLSTATE, a system error's name, or `ERR_SQLITE_ERROR`. */
  readonly code?: string
  /** SQLite's extended result code. */
  readonly errcode?: number
}

const codesOf = (error: unknown): DriverError => (typeof error === 'object' && error !== null ? (error as DriverError) : {})

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_CONSTRAINT_UNIQUE = 2067
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555
/** READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const SQLITE_BROKEN = new Set([8, 10, 11, 13, 14, 26])

/** The primary code is the low byte. */
const sqliteCode = (error: unknown): number => (codesOf(error).errcode ?? 0) & 0xff

export const isBusy = (error: unknown): boolean => sqliteCode(error) === SQLITE_BUSY || sqliteCode(error) === SQLITE_LOCKED
export const isBrokenFile = (error: unknown): boolean => SQLITE_BROKEN.has(sqliteCode(error))

/** A value that must be unique exists. */
export function isDuplicate(error: unknown): boolean {
  const { code, errcode } = codesOf(error)
  return code === '23505' || errcode === SQLITE_CONSTRAINT_UNIQUE || errcode === SQLITE_CONSTRAINT_PRIMARYKEY
}

/** Two transactions got in each other's way: the same again may succeed. */
export const isConflictOfTransactions = (error: unknown): boolean => ['40001', '40P01'].includes(codesOf(error).code ?? '')

/** PostgreSQL refuses us, and will tomorrow: wrong password or user, no such database, no rights. */
export const isRefusal = (error: unknown): boolean => /^(28...|3D000|42501|3F000)$/.test(codesOf(error).code ?? '')

/**
 * PostgreSQL is out of reach or cannot do it now: no connection (class 08), no resources (53), stopping or starting (57),
 * a read-only standby (25006), a lock not got in time (55P03), a failing disk (58), or an error that has no SQLSTATE at all:
 * those are the driver's and the operating system's.
 */
export function isOutOfReach(error: unknown): boolean {
  if (error instanceof GatewayError) return error.id === 'store-unavailable'
  const { code } = codesOf(error)
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return error instanceof Error
  return /^(08|53|57|58)/.test(code) || code === '25006' || code === '55P03' || isRefusal(error)
}
