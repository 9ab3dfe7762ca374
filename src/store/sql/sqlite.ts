/** SQLite through `node:sqlite`: one connection per thread, WAL, calls that do not wait for the disk. */
import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../core/error.ts'
import type { Database, DatabaseOptions } from './database.ts'
import { migrate } from './migrate.ts'
import { Sql, type Statement } from './sql.ts'
import type { Result, Steps, Transact, TransactionOptions } from './steps.ts'
import { isBrokenFile, isBusy, storeUnavailable } from './trouble.ts'

/** How long a call may hold up its thread while another process writes; what is left of its time it waits aside. */
const BUSY_MS = 50
const WRITE_MS = 2_000
/** A statement that took longer lets others run before its caller goes on. */
const LONG_MS = 3
/** Statements kept compiled. */
const MAX_STATEMENTS = 300

export async function openSqlite(path: string, { writeMs = WRITE_MS, migrations }: DatabaseOptions = {}): Promise<Database> {
  const sqlite = openFile(path)
  const runner = new Runner(sqlite, writeMs)
  const transaction: Transact = (steps, options) => runner.transaction(steps, options)
  try {
    await migrate('sqlite', transaction, migrations)
  } catch (error) {
    sqlite.close()
    throw error
  }
  return {
    kind: 'sqlite',
    query: async <Row>(query: Sql<Row>) => (await runner.query(query)).rows as Row[],
    transaction,
    sqlite,
    lookup: (work) => work(),
    ready: Promise.resolve(),
    reachable: true,
    close: async () => {
      runner.close()
    },
  }
}

/** What it holds is nobody else's business. Its log and index get the same mode from SQLite; a file that is there keeps its own. */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'ax', 0o600))
  } catch {
    // It is there, or opening it says what is wrong.
  }
}

function openFile(path: string): DatabaseSync {
  const file = path === ':memory:' ? path : resolve(path)
  if (file !== ':memory:') {
    refuseUnusable(file)
    createPrivate(file)
  }
  let sqlite: DatabaseSync | undefined
  try {
    sqlite = new DatabaseSync(file, { timeout: WRITE_MS, enableForeignKeyConstraints: true })
    // In WAL mode readers and the writer do not wait for each other. A power cut may lose the last commits, a kill of the process none.
    sqlite.exec('pragma journal_mode = wal; pragma synchronous = normal')
    // What a burst made the log grow to is given back.
    sqlite.exec(`pragma journal_size_limit = ${64 * 1024 * 1024}`)
    sqlite.exec(`pragma busy_timeout = ${BUSY_MS}`)
    return sqlite
  } catch (error) {
    if (sqlite?.isOpen) sqlite.close()
    const why = (error as Error).message
    throw new GatewayError(
      'store-unavailable',
      `The database file cannot be used: ${why} (${file})\nCheck that it is a SQLite file and that this user may write it.`,
      {
        path: 'store.url',
        cause: error,
      },
    )
  }
}

/** SQLite says `unable to open database file` to all of these. */
function refuseUnusable(file: string): void {
  const refuse = (message: string): never => {
    throw new GatewayError('store-unavailable', message, { path: 'store.url' })
  }
  const directory = dirname(file)
  if (!existsSync(directory))
    refuse(`The directory of the database does not exist: ${directory}\nMake it (mkdir -p), or name another in store.url.`)
  if (existsSync(file) && statSync(file).isDirectory())
    refuse(`The database is to be a file, but this is a directory: ${file}\nName a file in store.url.`)
  // Beside the file SQLite keeps its log: the directory must be writable too.
  for (const place of existsSync(file) ? [directory, file] : [directory]) {
    try {
      accessSync(place, constants.W_OK)
    } catch {
      refuse(
        `The database cannot be written: no permission for ${place}\nGive this user write permission, or name another file in store.url.`,
      )
    }
  }
}

/** Runs compiled queries. Where another process holds the write lock it waits aside and tries again, up to a limit. */
class Runner {
  readonly #sqlite: DatabaseSync
  readonly #writeMs: number
  readonly #statements = new Map<string, Prepared>()

  constructor(sqlite: DatabaseSync, writeMs: number) {
    this.#sqlite = sqlite
    this.#writeMs = writeMs
  }

  run(query: Sql | Statement): Result {
    const { sql, parameters } = query instanceof Sql ? query.compile('sqlite') : query
    const { statement, names } = this.#prepared(sql)
    const values = parameters.map(bindable)
    if (names.length === 0) return { rows: [], count: Number(statement.run(...values).changes) }
    const rows = (statement.all(...values) as unknown as unknown[][]).map((row) => objectOf(names, row))
    return { rows, count: rows.length }
  }

  query(query: Sql | Statement): Promise<Result> {
    return this.#patiently(() => this.run(query), this.#writeMs)
  }

  transaction<T>(steps: () => Steps<T>, { timeoutMs = this.#writeMs }: TransactionOptions = {}): Promise<T> {
    return this.#patiently(() => {
      this.#sqlite.exec('begin immediate')
      try {
        const generator = steps()
        let step = generator.next()
        while (!step.done) step = generator.next(this.run(step.value))
        this.#sqlite.exec('commit')
        return step.value
      } catch (error) {
        if (this.#sqlite.isTransaction) this.#sqlite.exec('rollback')
        throw error
      }
    }, timeoutMs)
  }

  close(): void {
    this.#statements.clear()
    if (this.#sqlite.isOpen) this.#sqlite.close()
  }

  async #patiently<T>(work: () => T, timeoutMs: number): Promise<T> {
    const until = performance.now() + timeoutMs
    for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
      try {
        if (!this.#sqlite.isOpen) throw storeUnavailable('The database is closed.')
        const began = performance.now()
        const result = work()
        // Whoever reads page after page does not keep everybody else from their turn.
        if (performance.now() - began > LONG_MS) await setImmediate()
        return result
      } catch (error) {
        if (isBrokenFile(error)) throw storeUnavailable(`The database file cannot be used: ${(error as Error).message}.`, error)
        if (!isBusy(error)) throw error
        if (performance.now() + pause > until) throw storeUnavailable('Another process keeps the database locked.', error)
      }
      await sleep(pause * (0.5 + Math.random()))
    }
  }

  #prepared(text: string): Prepared {
    let prepared = this.#statements.get(text)
    if (prepared) return prepared
    const statement = this.#sqlite.prepare(text)
    prepared = { statement, names: statement.columns().map(({ name }) => name) }
    // Objects made here have one shape for all rows, and are twice as quick to make as the driver's.
    statement.setReturnArrays(true)
    // Queries with lists in them have many texts.
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value as string)
    this.#statements.set(text, prepared)
    return prepared
  }
}

interface Prepared {
  readonly statement: StatementSync
  /** Of its columns. Empty: it has no rows. */
  readonly names: readonly string[]
}

function objectOf(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < names.length; index++) row[names[index] as string] = values[index]
  return row
}

function bindable(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  return value === undefined ? null : (value as SQLInputValue)
}
