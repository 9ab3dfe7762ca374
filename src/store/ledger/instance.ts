/**
 * Who writes which journal. Each process and each thread has a folder of its own under the data directory and holds the lock in it
 * while it lives: a lock of the operating system, taken through SQLite, so that it ends with its holder however that ended, holds for
 * a stopped process, and neither reused process ids nor containers that share a volume confuse it.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../core/error.ts'
import { newId } from '../../core/id.ts'
import { isSegment } from './journal.ts'

export interface Instance {
  /** Unique everywhere: the data directory's id, a dot, the folder's name. */
  readonly id: string
  readonly folder: string
  /** Paths of its journal's files, oldest first. */
  segments(): readonly string[]
  /** Lets go; the folder stays for a successor. */
  release(): void
  /** Deletes the folder, then lets go. */
  remove(): void
}

export interface DataDirectory {
  readonly path: string
  readonly id: string
  /** Throws `store-unavailable` when nothing can be written there. */
  claim(): Instance
  /** Ids of all instances that have a folder. */
  instances(): readonly string[]
  /** Takes over an instance whose holder is dead. Undefined: it lives, or somebody else was quicker. */
  takeOver(id: string): Instance | undefined
}

const LOCK = 'lock'
const isFolder = (name: string): boolean => /^run-[0-9a-z]+$/.test(name)

export function openDataDirectory(path: string): DataDirectory {
  const id = attempt(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    removeDrafts(path)
    return idOf(path)
  })

  return {
    path,
    id,
    claim: () =>
      attempt(path, () => {
        const name = newId('run-')
        // Made under another name, so that it is never seen without its lock.
        const hidden = join(path, `.${name}`)
        const folder = join(path, name)
        mkdirSync(hidden, { mode: 0o700 })
        const lock = lockIn(hidden)
        if (!lock) throw new Error('locks do not work there')
        renameSync(hidden, folder)
        return instanceOf(`${id}.${name}`, folder, lock)
      }),
    instances: () =>
      namesIn(path)
        .filter(isFolder)
        .map((name) => `${id}.${name}`),
    takeOver(instance) {
      const folder = join(path, instance.slice(id.length + 1))
      if (!existsSync(join(folder, LOCK))) {
        removeFolder(folder)
        return undefined
      }
      const lock = lockIn(folder)
      return lock && instanceOf(instance, folder, lock)
    },
  }
}

function instanceOf(id: string, folder: string, lock: DatabaseSync): Instance {
  const release = (): void => {
    if (lock.isOpen) lock.close()
  }
  return {
    id,
    folder,
    segments: () =>
      namesIn(folder)
        .filter(isSegment)
        .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .map((name) => join(folder, name)),
    release,
    remove() {
      for (const name of namesIn(folder)) if (name !== LOCK) quietly(() => unlinkSync(join(folder, name)))
      // Windows deletes no open file, so the lock goes first there and its file with the next successor.
      quietly(() => unlinkSync(join(folder, LOCK)))
      release()
      quietly(() => unlinkSync(join(folder, LOCK)))
      quietly(() => rmdirSync(folder))
    },
  }
}

/** Undefined: somebody holds it. */
function lockIn(folder: string): DatabaseSync | undefined {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(join(folder, LOCK), { timeout: 0 })
    lock.exec('begin exclusive')
    return lock
  } catch {
    if (lock?.isOpen) lock.close()
    return undefined
  }
}

/** Without its lock a folder is what an interrupted removal left. */
function removeFolder(folder: string): void {
  if (!existsSync(folder) || namesIn(folder).some(isSegment)) return
  quietly(() => rmdirSync(folder))
}

/** What a claim leaves that was killed half-way. */
function removeDrafts(path: string): void {
  for (const name of namesIn(path)) {
    if (!name.startsWith('.')) continue
    quietly(() => {
      if (Date.now() - statSync(join(path, name)).mtimeMs > 60_000) rmSync(join(path, name), { recursive: true })
    })
  }
}

/** Made once, whoever comes first. */
function idOf(path: string): string {
  const file = join(path, 'id')
  if (!existsSync(file)) {
    const draft = join(path, newId('.id-'))
    writeFileSync(draft, newId('d'), { mode: 0o600 })
    quietly(() => linkSync(draft, file))
    unlinkSync(draft)
  }
  return readFileSync(file, 'utf8').trim()
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // It is gone, or somebody else's by now.
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new GatewayError(
      'store-unavailable',
      `The ledger's journal cannot be kept in ${path}: ${(cause as Error).message}\nGive this user write permission there, or name another directory.`,
      { path: 'store.journal', cause },
    )
  }
}
