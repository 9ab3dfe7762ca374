/**
 * A server process of a test's own: loopback, a free port, a folder of its own under the system's temporary folder. It never outlives
 * the process that started it, and its folder goes with it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, isRoot, onPath } from './install.ts'

export interface Service {
  readonly port: number
  /** Its process now; undefined while it is down. */
  readonly pid: number | undefined
  /** Ends it and removes its folder. Twice is fine. */
  stop(): Promise<void>
  /** kill -9, with all its children. The data stays for `restart`. */
  kill(): Promise<void>
  /** SIGSTOP to all its processes: connections stay open, nothing answers. */
  freeze(): void
  thaw(): void
  /** Up again on the same port with the same data: after `kill`, or ended in an orderly way first. */
  restart(): Promise<void>
  /** Thawed and up, whatever was done to it. */
  heal(): Promise<void>
}

export interface Recipe {
  readonly name: string
  /** Runs under this account when the tests run as root. */
  readonly user?: { readonly uid: number; readonly gid: number }
  readonly command: string
  args(folder: string, port: number): readonly string[]
  /** Ends it in an orderly way. */
  readonly endSignal: NodeJS.Signals
  prepare?(folder: string): void
  /** Resolves when it answers; throws while it does not. */
  probe(port: number): Promise<void>
}

const START_MS = 30_000
const running = new Map<ChildProcess, string>()
const folders = new Set<string>()

process.once('exit', () => {
  for (const child of running.keys()) killTree(child.pid)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Prefix of the folders: the id of the process that owns one is part of its name, so that what a killed process left can be found. */
const prefixOf = (name: string): string => `signalbox-${name}-`

export async function startService(recipe: Recipe): Promise<Service> {
  removeLeftovers(recipe.name)
  const folder = mkdtempSync(join(tmpdir(), `${prefixOf(recipe.name)}${process.pid}-`))
  folders.add(folder)
  const discard = () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    folders.delete(folder)
  }
  try {
    if (recipe.user) chownSync(folder, recipe.user.uid, recipe.user.gid)
    recipe.prepare?.(folder)
  } catch (error) {
    discard()
    throw error
  }
  let port = 0
  let child: ChildProcess | undefined
  let frozen: readonly number[] = []

  const up = async (): Promise<void> => {
    const started = launch(recipe, folder, port)
    running.set(started, folder)
    child = started
    for (const until = Date.now() + START_MS; ; await sleep(25)) {
      const ended = started.exitCode !== null || started.signalCode !== null || started.pid === undefined
      if (ended || Date.now() > until) {
        await down('SIGKILL')
        throw new Error(`${recipe.name} did not start: ${logOf(folder)}`)
      }
      if (await recipe.probe(port).then(always(true), always(false))) return
    }
  }
  const down = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child
    if (!ending) return
    child = undefined
    thaw(frozen)
    frozen = []
    if (ending.exitCode === null && ending.signalCode === null && ending.pid !== undefined) {
      const ended = new Promise((resolve) => ending.once('exit', resolve))
      // An unreferenced child does not keep the loop alive while its end is awaited.
      ending.ref()
      if (signal === 'SIGKILL') killTree(ending.pid)
      else process.kill(ending.pid, signal)
      const late = setTimeout(() => killTree(ending.pid), 5_000)
      await ended
      clearTimeout(late)
    }
    running.delete(ending)
  }

  // Between finding a free port and using it somebody else may take it.
  for (let left = 3; ; left--) {
    port = await freePort()
    try {
      await up()
      break
    } catch (error) {
      if (left > 1) continue
      discard()
      throw error
    }
  }

  const service: Service = {
    get port() {
      return port
    },
    get pid() {
      return child?.pid
    },
    stop: async () => {
      await down(recipe.endSignal)
      discard()
    },
    kill: () => down('SIGKILL'),
    freeze: () => {
      if (child?.pid === undefined) throw new Error(`${recipe.name} is not running`)
      // The parent first, so that it makes no children while they are listed.
      process.kill(child.pid, 'SIGSTOP')
      const children = descendants(child.pid)
      for (const pid of children) signal(pid, 'SIGSTOP')
      frozen = [...children, child.pid]
    },
    thaw: () => {
      thaw(frozen)
      frozen = []
    },
    restart: async () => {
      if (child) await down(recipe.endSignal)
      await up()
    },
    heal: async () => {
      service.thaw()
      if (!child || child.exitCode !== null || child.signalCode !== null) {
        child = undefined
        await up()
      }
    },
  }
  return service
}

/** With setpriv the kernel ends the service when this process dies, even of a kill -9. */
function launch({ command, args, user }: Recipe, folder: string, port: number): ChildProcess {
  const log = openSync(join(folder, 'log'), 'a')
  const words = args(folder, port)
  const setpriv = process.platform === 'linux' ? onPath('setpriv') : undefined
  const account = user && [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  const child = setpriv
    ? spawn(setpriv, ['--pdeathsig', 'KILL', ...(account ?? []), command, ...words], { cwd: folder, stdio: ['ignore', log, log] })
    : spawn(command, words, { cwd: folder, stdio: ['ignore', log, log], ...user })
  closeSync(log)
  child.once('error', () => {})
  child.unref()
  return child
}

function always<T>(value: T): () => T {
  return () => value
}

function logOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'log'), 'utf8').slice(-1_000).trim()
  } catch {
    return 'no log'
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone already.
  }
}

function thaw(pids: readonly number[]): void {
  for (const pid of pids) signal(pid, 'SIGCONT')
}

function killTree(pid: number | undefined): void {
  if (pid === undefined) return
  const children = descendants(pid)
  for (const each of [pid, ...children]) signal(each, 'SIGKILL')
}

function descendants(root: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const [pid, parent] of processes()) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid])
  const all: number[] = []
  for (const next = [root]; next.length > 0; ) {
    const found = childrenOf.get(next.pop() ?? 0) ?? []
    all.push(...found)
    next.push(...found)
  }
  return all
}

/** Ids of all processes with their parents'. Slim images have no ps, other systems no /proc. */
function processes(): [number, number][] {
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')
    return lines.map((line) => line.trim().split(/\s+/).map(Number)).map(([pid = 0, parent = 0]) => [pid, parent])
  }
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => [Number(entry), parentOf(entry)])
}

function parentOf(pid: string): number {
  try {
    // `pid (name) state parent …`, where the name may hold anything.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ')[1])
  } catch {
    return 0
  }
}

/** Folders of processes that were killed before they could clean up. */
function removeLeftovers(name: string): void {
  const prefix = prefixOf(name)
  for (const entry of readdirSync(tmpdir())) {
    const owner = entry.startsWith(prefix) ? Number(entry.slice(prefix.length).split('-')[0]) : Number.NaN
    if (!Number.isInteger(owner) || isAlive(owner)) continue
    rmSync(join(tmpdir(), entry), { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** The account a service runs under when the tests are root's. */
export function accountOf(...names: readonly string[]): { uid: number; gid: number } | undefined {
  if (!isRoot()) return undefined
  for (const line of names.map((name) => accounts().find((entry) => entry[0] === name))) {
    if (line) return { uid: Number(line[2]), gid: Number(line[3]) }
  }
  return undefined
}

const accounts = (): string[][] =>
  readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
