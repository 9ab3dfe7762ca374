/** What all record stores hold themselves to. */
import { GatewayError } from '../core/error.ts'
import type { NewRecord, RecordKind } from '../core/records.ts'

/** Most records of one page. */
export const MAX_PAGE = 10_000
const PAGE = 1_000

export const pageSize = (limit = PAGE): number => Math.min(Math.max(1, Math.trunc(limit)), MAX_PAGE)

const AUDIT_PAGE = 100
const MAX_AUDIT_PAGE = 1_000
export const auditPageSize = (limit = AUDIT_PAGE): number => Math.min(Math.max(1, Math.trunc(limit)), MAX_AUDIT_PAGE)

export const taken = ({ kind, id }: NewRecord): GatewayError =>
  new GatewayError('conflict', `There is a ${kind} with this id or name already: ${id}.`, { shouldRetry: false })

export const changedMeanwhile = (kind: RecordKind, id: string): GatewayError =>
  new GatewayError('conflict', `The ${kind} ${id} was changed by somebody else. Read it again, then change it.`, { shouldRetry: false })

export const gone = (kind: RecordKind, id: string): GatewayError =>
  new GatewayError('not-found', `There is no ${kind} ${id}.`, { shouldRetry: false })

export const closed = (): GatewayError => new GatewayError('store-unavailable', 'The store is closed.')
