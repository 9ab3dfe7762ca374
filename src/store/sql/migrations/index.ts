/** Every change of the schema so far, in order. They only go forward: what is here is never edited once released. */
import type { DatabaseKind } from '../database.ts'
import { records } from './0001-records.ts'
import { ledger } from './0002-ledger.ts'

export interface Migration {
  /** Counts up from 1 without gaps. */
  readonly version: number
  readonly name: string
  /** All of them run in one transaction. They must be quick, or work in the presence of writers: no rewriting of large tables. */
  statements(kind: DatabaseKind): readonly string[]
}

export const migrations: readonly Migration[] = [records, ledger]
