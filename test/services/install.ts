/**
 * Programs that suites need and that npm does not bring. Where a program is missing it is installed, but only as root and with apt;
 * anywhere else the suites are skipped, with the reason.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Program {
  readonly name: string
  /** Debian's package. */
  readonly packageName: string
  /** Where it is, if it is here. */
  locate(): string | undefined
}

/** Of a service that this machine cannot have. Says why. */
export class ServiceMissing extends Error {}

const marker = (name: string): string => join(tmpdir(), `signalbox-test-${name}`)
/** After an attempt that failed, other test files do not try again for this long. */
const RETRY_MS = 10 * 60_000

export const isRoot = (): boolean => process.getuid?.() === 0

/** A file on PATH that can be run. */
export function onPath(name: string, more: readonly string[] = []): string | undefined {
  const folders = [...more, ...(process.env.PATH ?? '').split(delimiter), '/usr/local/bin', '/usr/bin', '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find(canRun)
}

export function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where the program is; installs it where that is possible. Throws ServiceMissing. */
export async function provide(program: Program): Promise<string> {
  const here = program.locate()
  if (here) return here
  const apt = onPath('apt-get')
  const why = `${program.name} is not installed here`
  if (!apt || !isRoot()) throw new ServiceMissing(`${why}, and installing it takes root and apt`)
  if (process.env.SIGNALBOX_TEST_INSTALL === '0') throw new ServiceMissing(`${why}, and SIGNALBOX_TEST_INSTALL is 0`)
  return alone(async () => {
    const meanwhile = program.locate()
    if (meanwhile) return meanwhile
    const failed = marker(`${program.packageName}-failed`)
    if (age(failed) < RETRY_MS) throw new ServiceMissing(`${why}, and installing it failed a while ago`)
    const install = [apt, 'install', '-y', '--no-install-recommends', program.packageName]
    if (!(await ran(install))) {
      await ran([apt, 'update'])
      await ran(install)
    }
    const installed = program.locate()
    if (installed) return installed
    writeFileSync(failed, '')
    throw new ServiceMissing(`${why}, and apt-get could not install it`)
  })
}

/** RUNLEVEL=1 keeps Debian's packages from starting what they install. */
async function ran([command = '', ...rest]: readonly string[]): Promise<boolean> {
  const child = spawn(command, rest, {
    stdio: 'ignore',
    timeout: 180_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  })
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}

/** One process of this machine at a time; a lock whose process is gone is taken over. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  const lock = marker('install.lock')
  for (const until = Date.now() + 300_000; ; await sleep(200)) {
    try {
      mkdirSync(lock)
      writeFileSync(join(lock, 'pid'), String(process.pid))
      break
    } catch {
      if (ownerIsGone(lock)) rmSync(lock, { recursive: true, force: true })
      else if (Date.now() > until) throw new ServiceMissing('another process is installing packages for minutes already')
    }
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

function ownerIsGone(lock: string): boolean {
  try {
    return !isAlive(Number(readFileSync(join(lock, 'pid'), 'utf8')))
  } catch {
    // The owner is between making the folder and writing its id, or died there.
    return age(lock) > 5_000
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function age(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
