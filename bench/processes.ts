import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import { createServer } from 'node:net'
import { availableParallelism, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Reading } from './probe.ts'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What the bench keeps between runs: the installed peer, results that are not published. */
export const CACHE = join(ROOT, 'node_modules/.cache/bench')
const PROBE = new URL('./probe.ts', import.meta.url).href

/** The one that the bootstrap uses, so that every subject starts from compiled code. */
const NODE_COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/node-compile')

/** The system under test has core 0 for itself, everything else shares core 1. */
export const SUBJECT_CORE = 0
export const RIG_CORE = 1

export const canPin: boolean =
  process.platform === 'linux' &&
  availableParallelism() >= 2 &&
  spawnSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' }).status === 0

/** Where logs and configs of this run live; gone when the bench ends. */
export const scratch: string = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))

/**
 * Puts this process, and with it all that it starts, before the machine's other work. False where the system does not allow it: below the
 * usual niceness only the administrator goes.
 */
export function raisePriority(): boolean {
  try {
    setPriority(-15)
    return true
  } catch {
    return false
  }
}

const running = new Set<Child>()
process.once('exit', () => {
  for (const child of running) killTree(child.process.pid)
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

export interface Child {
  readonly name: string
  readonly process: ChildProcess
  /** Sends a message and waits for the answer with its id. */
  ask<T>(message: object): Promise<T>
  /** First message of the process that is no answer. */
  readonly hello: Promise<unknown>
  /** Totals of the process so far. Only for processes that were started with the probe. */
  read(): Promise<Reading>
  ended(): string | undefined
  log(): string
  stop(): Promise<void>
}

export interface StartOptions {
  readonly name: string
  /** Arguments of Node: script first. */
  readonly args: readonly string[]
  readonly core?: number
  readonly probe?: boolean
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

let files = 0

/** Starts a Node script as its own process, on one core where the machine allows it. */
export function startNode({ name, args, core, probe = false, env, cwd = ROOT }: StartOptions): Child {
  const node = [process.execPath, ...(probe ? ['--import', PROBE] : []), ...args]
  const [command = '', ...rest] = core !== undefined && canPin ? ['taskset', '-c', String(core), ...node] : node
  const logFile = join(scratch, `${name.replaceAll(/\W+/g, '-')}-${++files}.log`)
  const out = openSync(logFile, 'a')
  const child = spawn(command, rest, { cwd, env: { ...process.env, NODE_COMPILE_CACHE, ...env }, stdio: ['ignore', out, out, 'ipc'] })
  closeSync(out)
  const log = (): string => readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n')
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const hello = Promise.withResolvers<unknown>()
  hello.promise.catch(() => {})
  let ended: string | undefined
  let ids = 0

  const end = new Promise<void>((resolve) => {
    const over = (how: string): void => {
      ended ??= how
      running.delete(self)
      const error = new Error(`${name} ${ended}\n${log()}`)
      hello.reject(error)
      for (const { reject } of pending.values()) reject(error)
      pending.clear()
      resolve()
    }
    child.once('exit', (code, signal) => over(`ended with ${signal ?? code}`))
    child.once('error', (error) => over(error.message))
  })
  child.on('message', (message: unknown) => {
    const answer = message as { id?: number; probe?: number; result?: unknown; reading?: unknown }
    const id = answer.id ?? answer.probe
    if (id === undefined) return hello.resolve(message)
    pending.get(id)?.resolve(answer.result ?? answer.reading)
    pending.delete(id)
  })

  function post<T>(message: object, id: number): Promise<T> {
    if (ended !== undefined) return Promise.reject(new Error(`${name} ${ended}\n${log()}`))
    return new Promise<T>((resolve, reject) => {
      pending.set(id, { resolve: resolve as (value: unknown) => void, reject })
      child.send(message)
    })
  }

  const self: Child = {
    name,
    process: child,
    hello: hello.promise,
    ask: (message) => {
      const id = ++ids
      return post({ ...message, id }, id)
    },
    read: () => {
      const id = ++ids
      return post({ probe: id }, id)
    },
    ended: () => ended,
    log,
    async stop() {
      if (ended !== undefined) return
      child.kill('SIGTERM')
      await Promise.race([end, sleep(3_000)])
      if (ended === undefined) killTree(child.pid)
      await end
    },
  }
  running.add(self)
  return self
}

/** A section that failed may have left something running; the bench must end all the same. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()))
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until the URL answers 200; `everyMs` is also the precision of the answer. */
export async function ready(
  child: Child,
  url: string,
  { timeoutMs = 30_000, everyMs = 50, post }: { timeoutMs?: number; everyMs?: number; post?: string } = {},
) {
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    if (child.ended() !== undefined) throw new Error(`${child.name} ${child.ended()} before it was ready\n${child.log()}`)
    if (await answers200(url, post)) return
    await sleep(everyMs)
  }
  throw new Error(`${child.name} was not ready within ${timeoutMs / 1_000} s\n${child.log()}`)
}

function answers200(url: string, post: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { agent: false, method: post === undefined ? 'GET' : 'POST', headers: { 'content-type': 'application/json' } }
    const request = http.request(url, options, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode === 200))
      response.once('error', () => resolve(false))
    })
    request.once('error', () => resolve(false))
    request.setTimeout(5_000, () => request.destroy())
    request.end(post)
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

/** A process and all that it started; only itself where there is no /proc. */
function treeOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
    return [pid, ...children.filter((child) => child !== '').flatMap((child) => treeOf(Number(child)))]
  } catch {
    return [pid]
  }
}

/** Ends a process with all that it started: what a killed wrapper leaves behind would disturb the next measurement. */
function killTree(root: number | undefined): void {
  if (root === undefined) return
  for (const pid of treeOf(root)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // gone already
    }
  }
}

/** Resident memory of a process and all that it started, bytes; undefined where there is no /proc. */
export function treeRss(root: number): number | undefined {
  try {
    const rss = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
    return treeOf(root).reduce((sum, pid) => sum + rss(pid), 0)
  } catch {
    return undefined
  }
}
