import { connect, type Socket } from 'node:net'
import { numbersFrom } from '../test/random.ts'
import { read } from './http1.ts'
import { type BenchWire, FIRST_TOKEN } from './payloads.ts'
import { complaint, type Expectation } from './verify.ts'

/** One kind of call to one place. */
export interface Shot {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly wire: BenchWire
  readonly body: string
  readonly expect: Expectation
}

export interface LoadPlan {
  readonly shot: Shot
  readonly calls: number
  /** Calls at a time; in an open loop, connections at most. */
  readonly connections: number
  /** Calls per second, started at random (Poisson) moments whether or not earlier ones have ended; absent: the next call when one ends. */
  readonly rate?: number
  /** Hang up after the first token. */
  readonly abort?: boolean
}

export interface LoadResult {
  readonly calls: number
  /** First few different complaints about wrong answers; a measurement with any is void. */
  readonly wrong: readonly string[]
  readonly wallMs: number
  /** Quantiles in ms, from the moment that a call was due. */
  readonly latency: Quantiles
  readonly firstToken: Quantiles
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

interface Connection {
  /** Sends the request that was due at the given moment. */
  fire(due: number): void
  close(): void
}

interface Ended {
  readonly due: number
  readonly firstToken: number
  readonly wrong: string | undefined
}

const STALL_MS = 30_000

/** Requests as they go over the socket: everything is known before the first call. */
function bytesOf(shot: Shot): Buffer {
  const body = Buffer.from(shot.body)
  const headers = {
    host: `127.0.0.1:${shot.port}`,
    'content-type': 'application/json',
    accept: '*/*',
    ...shot.headers,
    'content-length': String(body.length),
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${shot.path} HTTP/1.1\r\n${head.join('')}\r\n`), body])
}

function open(shot: Shot, request: Buffer, abort: boolean, ended: (call: Ended, connection: Connection) => void): Connection {
  let socket: Socket | undefined
  let due = 0
  let firstToken = Number.NaN
  let status = 0
  let parts: Buffer[] = []
  let busy = false
  let last = false

  function end(wrong: string | undefined): void {
    if (!busy) return
    busy = false
    ended({ due, firstToken, wrong }, connection)
  }

  function drop(): void {
    socket?.destroy()
    socket = undefined
  }

  function dial(): Socket {
    const fresh = connect({ port: shot.port, host: '127.0.0.1', noDelay: true })
    fresh.setTimeout(STALL_MS, () => fresh.destroy(new Error(`no answer within ${STALL_MS} ms`)))
    fresh.on('error', (error) => {
      if (fresh !== socket) return
      drop()
      end(error.message)
    })
    fresh.on('close', () => {
      if (fresh !== socket) return
      socket = undefined
      end('the connection was closed before the answer was whole')
    })
    read(fresh, {
      head(text) {
        status = Number(text.slice(9, 12))
        last = /\r\nconnection: *close/i.test(text)
        parts = []
      },
      body(chunk) {
        parts.push(chunk)
        if (!shot.expect.stream || !Number.isNaN(firstToken) || !chunk.includes(FIRST_TOKEN)) return
        firstToken = performance.now()
        if (!abort) return
        drop()
        end(undefined)
      },
      end() {
        // The next call needs another connection: this one was announced to close.
        if (last) socket = undefined
        end(complaint(status, parts.length === 1 ? parts[0]! : Buffer.concat(parts), shot.wire, shot.expect))
      },
    })
    return fresh
  }

  const connection: Connection = {
    fire(moment) {
      due = moment
      firstToken = Number.NaN
      busy = true
      socket ??= dial()
      socket.write(request)
    },
    close: drop,
  }
  return connection
}

/** Runs a plan to its end. Wrong answers are counted, never thrown: the caller decides what they mean. */
export function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const { shot, calls, connections, rate, abort = false } = plan
  const request = bytesOf(shot)
  const latency: number[] = []
  const firstToken: number[] = []
  const wrong: string[] = []
  const idle: Connection[] = []
  const waiting: number[] = []
  const all: Connection[] = []
  const started = performance.now()
  let fired = 0
  let done = 0

  return new Promise((resolve) => {
    function ended(call: Ended, connection: Connection): void {
      const now = performance.now()
      latency.push(now - call.due)
      if (!Number.isNaN(call.firstToken)) firstToken.push(call.firstToken - call.due)
      if (call.wrong !== undefined && wrong.length < 5 && !wrong.includes(call.wrong)) wrong.push(call.wrong)
      done++
      if (done === calls) {
        for (const each of all) each.close()
        resolve({ calls, wrong, wallMs: now - started, latency: quantiles(latency), firstToken: quantiles(firstToken) })
        return
      }
      if (rate === undefined) {
        if (fired < calls) next(connection, performance.now())
        return
      }
      const due = waiting.shift()
      if (due === undefined) idle.push(connection)
      else connection.fire(due)
    }

    function next(connection: Connection, due: number): void {
      fired++
      connection.fire(due)
    }

    if (rate === undefined) {
      for (let i = 0; i < Math.min(connections, calls); i++) {
        const connection = open(shot, request, abort, ended)
        all.push(connection)
        next(connection, performance.now())
      }
      return
    }

    // Every subject sees the same arrivals.
    const random = numbersFrom(42)
    let due = performance.now()
    const arrive = (moment: number): void => {
      const connection = idle.pop()
      if (connection !== undefined) next(connection, moment)
      else if (all.length < connections) {
        const fresh = open(shot, request, abort, ended)
        all.push(fresh)
        next(fresh, moment)
      } else {
        fired++
        waiting.push(moment)
      }
    }
    // Timers are as coarse as 1 ms, far above what is measured: look at the clock on every turn of the loop.
    const turn = (): void => {
      const now = performance.now()
      while (fired < calls && due <= now) {
        arrive(due)
        due -= (Math.log(1 - random()) * 1_000) / rate
      }
      if (fired < calls || done < calls) setImmediate(turn)
    }
    turn()
  })
}
