/** PostgreSQL through a pool of connections that never waits long: behind a breaker, with deadlines on both sides. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { alarmAfter } from '../../core/alarm.ts'
import { GatewayError } from '../../core/error.ts'
import { type Breaker, createBreaker } from '../breaker.ts'
import type { Database, DatabaseOptions } from './database.ts'
import { GOODBYE_MS, hangUp, listenTo } from './listen.ts'
import { migrate } from './migrate.ts'
import { Sql, type Statement } from './sql.ts'
import type { Result, Steps, Transact } from './steps.ts'
import { isConflictOfTransactions, isOutOfReach, isRefusal, storeUnavailable } from './trouble.ts'

const LOOKUP_MS = 250
const WRITE_MS = 2_000
const PATIENCE_MS = 1_000
/** What the server is given beyond its own deadline to tell of it, before the connection is given up. */
const GRACE_MS = 250
const BEGIN: Statement = { sql: 'begin', parameters: [] }
const COMMIT: Statement = { sql: 'commit', parameters: [] }
const ROLLBACK: Statement = { sql: 'rollback', parameters: [] }
/** bigint, as text in the protocol. */
const INT8 = 20

export async function openPostgres(
  url: string,
  { onState, connections = 10, lookupMs = LOOKUP_MS, writeMs = WRITE_MS, patienceMs = PATIENCE_MS, migrations }: DatabaseOptions = {},
): Promise<Database> {
  const { default: pg } = await import('pg')
  const settings = {
    connectionString: url,
    application_name: 'signalbox',
    connectionTimeoutMillis: writeMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: {
      getTypeParser: (id: number, format?: 'text' | 'binary') =>
        id === INT8 && format !== 'binary' ? Number : (pg.types.getTypeParser(id, format) as (text: string) => unknown),
    },
  }
  const pool: Pool = new pg.Pool({
    ...settings,
    max: connections,
    idleTimeoutMillis: 30_000,
    allowExitOnIdle: true,
    statement_timeout: writeMs,
    query_timeout: writeMs + GRACE_MS,
    // A server that lost us in the middle of a transaction lets go of its locks.
    idle_in_transaction_session_timeout: 10_000,
  })
  // Without a listener a lost connection would end the process. Who uses it learns of it from the query.
  pool.on('error', () => {})
  const clients = new Set<PoolClient>()
  pool.on('connect', (client) => {
    clients.add(client)
    client.on('error', () => {})
    client.on('end', () => clients.delete(client))
  })

  const breaker = createBreaker(onState ? { onState } : {})
  const line = new Line(pool, breaker, writeMs)

  const stopping = new AbortController()
  const readiness = prepare(() => migrate('postgres', line.ungated, migrations), stopping.signal)
  // Nobody may be waiting for it.
  readiness.ready.catch(() => {})
  await Promise.race([readiness.first, sleep(patienceMs, undefined, { signal: stopping.signal, ref: true })])
  if (readiness.refused) {
    await endPool(pool, clients)
    throw readiness.refused
  }

  line.gate = () => {
    if (readiness.refused) throw readiness.refused
    if (!readiness.done) throw storeUnavailable('The database has not been reached yet.')
  }
  return {
    kind: 'postgres',
    query: async <Row>(query: Sql<Row>) => (await line.query(query)).rows as Row[],
    transaction: (steps, options) => line.transaction(steps, options),
    lookup: (work) => withDeadline(work, lookupMs, breaker),
    listen: (channel, heard) => listenTo(() => new pg.Client({ ...settings, query_timeout: writeMs }), channel, heard),
    ready: readiness.ready,
    get reachable() {
      return readiness.done && breaker.up
    },
    close: async () => {
      stopping.abort()
      await endPool(pool, clients)
    },
  }
}

/** The pool, behind the breaker. */
class Line {
  /** Throws until the schema is known to be there. */
  gate: () => void = () => {}
  readonly #pool: Pool
  readonly #breaker: Breaker
  readonly #writeMs: number

  constructor(pool: Pool, breaker: Breaker, writeMs: number) {
    this.#pool = pool
    this.#breaker = breaker
    this.#writeMs = writeMs
  }

  async query(query: Sql | Statement): Promise<Result> {
    this.gate()
    const client = await this.#connect()
    try {
      return await client.run(query)
    } finally {
      client.release()
    }
  }

  async transaction<T>(steps: () => Steps<T>, { timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<T> {
    this.gate()
    return this.ungated(steps, timeoutMs === undefined ? {} : { timeoutMs })
  }

  /** For the migration itself. */
  ungated: Transact = async (steps, { timeoutMs = this.#writeMs } = {}) => {
    const until = performance.now() + timeoutMs
    for (;;) {
      try {
        return await this.#once(steps, timeoutMs)
      } catch (error) {
        if (!isConflictOfTransactions(error) || performance.now() > until) throw error
      }
    }
  }

  async #once<T>(steps: () => Steps<T>, timeoutMs: number): Promise<T> {
    const client = await this.#connect(timeoutMs + GRACE_MS)
    try {
      await client.run(BEGIN)
      if (timeoutMs !== this.#writeMs) await client.run({ sql: `set local statement_timeout = ${Math.ceil(timeoutMs)}`, parameters: [] })
      const generator = steps()
      let step = generator.next()
      while (!step.done) step = generator.next(await client.run(step.value))
      await client.run(COMMIT)
      return step.value
    } catch (error) {
      // A connection that fails to roll back is dropped by `release`.
      await client.run(ROLLBACK).catch(() => {})
      throw error
    } finally {
      client.release()
    }
  }

  async #connect(queryMs?: number): Promise<Client> {
    if (!this.#breaker.mayTry()) throw storeUnavailable('The database does not answer.')
    const { answers } = this.#breaker
    try {
      return new Client(await this.#pool.connect(), this.#breaker, queryMs)
    } catch (error) {
      // If others were answered meanwhile there is much to do, but nothing dead.
      if (this.#breaker.answers === answers) this.#breaker.failed(error)
      throw outOfReach(error)
    }
  }
}

/** One connection in use. Once it failed, it is not used again. */
class Client {
  readonly #client: PoolClient
  readonly #breaker: Breaker
  readonly #queryMs: number | undefined
  #broken = false

  constructor(client: PoolClient, breaker: Breaker, queryMs: number | undefined) {
    this.#client = client
    this.#breaker = breaker
    this.#queryMs = queryMs
  }

  async run(query: Sql | Statement): Promise<Result> {
    if (this.#broken) throw storeUnavailable('The connection to the database broke.')
    try {
      const { sql, parameters } = query instanceof Sql ? query.compile('postgres') : query
      const timeout = this.#queryMs === undefined ? {} : { query_timeout: this.#queryMs }
      const { rows, rowCount } = await this.#client.query<object>({ text: sql, values: [...parameters], ...timeout })
      this.#breaker.succeeded()
      return { rows, count: rowCount ?? 0 }
    } catch (error) {
      if (!isOutOfReach(error)) {
        // It answered, even if with a refusal of this query.
        this.#breaker.succeeded()
        throw error
      }
      this.#broken = true
      this.#breaker.failed(error)
      throw outOfReach(error)
    }
  }

  release(): void {
    this.#client.release(this.#broken)
  }
}

const outOfReach = (error: unknown): GatewayError =>
  error instanceof GatewayError ? error : storeUnavailable(`The database cannot be reached: ${wordsOf(error)}.`, error)

/** Driver and server name host, user and database at most, never the password. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return wordsOf(error.errors[0])
  return error instanceof Error && error.message ? error.message : 'no connection'
}

/** Gives up waiting; the query itself ends by its own timeout. */
export async function withDeadline<T>(work: () => Promise<T>, ms: number, breaker: Breaker): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const { answers } = breaker
  let ended = false
  const giveUp = (): void => {
    if (ended) return
    const error = storeUnavailable(`The database did not answer within ${ms} ms.`)
    // If others were answered meanwhile there is much to do, but nothing dead.
    if (breaker.answers === answers) breaker.failed(error)
    reject(error)
  }
  // If it was this thread that was late, the answer is here already, and read before that.
  const alarm = alarmAfter(ms, () => setImmediate(giveUp))
  try {
    return await Promise.race([work(), promise])
  } finally {
    ended = true
    alarm.cancel()
  }
}

interface Readiness {
  done: boolean
  /** Why it never will be. */
  refused: GatewayError | undefined
  /** Settles after the first attempt, whatever came of it. */
  readonly first: Promise<void>
  readonly ready: Promise<void>
}

/** Migrates now, or as soon as there is somebody to talk to. */
function prepare(migrated: () => Promise<void>, signal: AbortSignal): Readiness {
  const first = Promise.withResolvers<void>()
  const attempts = async (): Promise<void> => {
    for (let pause = 100; !readiness.done; pause = Math.min(pause * 2, 1_000)) {
      try {
        await migrated()
        readiness.done = true
      } catch (error) {
        if (signal.aborted || !mayPass(error)) {
          readiness.refused = refusalOf(error)
          throw readiness.refused
        }
      } finally {
        first.resolve()
      }
      if (!readiness.done) await sleep(pause, undefined, { signal, ref: false })
    }
  }
  const readiness: Readiness = { done: false, refused: undefined, first: first.promise, ready: Promise.resolve() }
  return Object.assign(readiness, { ready: attempts() })
}

/** Out of reach for now, rather than a newer schema or the server's refusal of who we are. */
const mayPass = (error: unknown): boolean =>
  error instanceof GatewayError && error.id === 'store-unavailable' && error.path === undefined && !isRefusal(error.cause)

function refusalOf(error: unknown): GatewayError {
  if (error instanceof GatewayError && error.path === 'store.url') return error
  const cause = error instanceof GatewayError ? (error.cause ?? error) : error
  const message = isRefusal(cause)
    ? `PostgreSQL refuses the gateway: ${wordsOf(cause)}.\nCheck user, password and database in store.url, and that the user may create tables.`
    : `The tables of the database could not be brought up to date: ${wordsOf(cause)}.\nNothing was changed. Is it a database of the gateway alone?`
  return new GatewayError('store-unavailable', message, { path: 'store.url', cause })
}

/** Ends politely; where the server does not answer the connections are dropped, or they would keep the process alive. */
async function endPool(pool: Pool, clients: ReadonlySet<PoolClient>): Promise<void> {
  if (pool.ending) return
  const ended = pool.end().catch(() => {})
  await Promise.race([ended, sleep(GOODBYE_MS, undefined, { ref: false })])
  for (const client of clients) hangUp(client)
}
