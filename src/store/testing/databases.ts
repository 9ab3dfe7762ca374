/** Databases for tests, removed at their end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Database, type DatabaseOptions, openDatabase } from '../sql/database.ts'

/** `sqlite:` and a file that does not exist yet. */
export function sqliteUrl(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return `sqlite:${join(folder, 'test.db')}`
}

export async function openFor(t: TestContext, url: string, options?: DatabaseOptions): Promise<Database> {
  const database = await openDatabase(url, options)
  t.after(() => database.close())
  return database
}
