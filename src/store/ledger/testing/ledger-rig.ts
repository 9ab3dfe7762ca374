/** Ledgers for tests, on a database and a directory that end with the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Database, openDatabase } from '../../sql/database.ts'
import type { StoreLedger } from '../ledger.ts'
import { createSqlLedger, type SqlLedgerOptions } from '../sql-ledger.ts'

export interface LedgerRig {
  readonly directory: string
  readonly database: Database
  readonly warnings: string[]
  /** Another ledger on the same database and directory. */
  ledger(options?: Partial<SqlLedgerOptions>): StoreLedger
}

export async function ledgerRig(t: TestContext, url?: string): Promise<LedgerRig> {
  const directory = mkdtempSync(join(tmpdir(), 'ledger-'))
  const database = await openDatabase(url ?? `sqlite:${join(directory, 'test.db')}`)
  const ledgers: StoreLedger[] = []
  const warnings: string[] = []
  t.after(async () => {
    await Promise.all(ledgers.map((ledger) => ledger.close()))
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    directory,
    database,
    warnings,
    ledger(options = {}) {
      const ledger = createSqlLedger({
        database,
        directory: join(directory, 'journal'),
        warn: (message) => warnings.push(message),
        ...options,
      })
      ledgers.push(ledger)
      return ledger
    },
  }
}
