/**
 * The journal of one process or thread: what was told of calls, in a file that outlives the process. A line is in the operating
 * system's hands when `commit` returns, so a kill loses none of it; a power cut does unless `strict`.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, unlink, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createTurn, type Turn } from '../../core/turn.ts'
import type { LedgerRecord } from './codec.ts'
import { lineOf } from './journal-lines.ts'

export interface JournalOptions {
  /** Of this journal alone. */
  readonly directory: string
  /** Hears of trouble once when it begins and once when it is over. */
  readonly warn: (message: string) => void
  /** `durable` waits for the disk. Default false. */
  readonly strict?: boolean
  /** After so many bytes a new file is begun. Default 2 MB. */
  readonly segmentBytes?: number
  readonly write?: (fd: number, text: string | Uint8Array) => number
  readonly turn?: Turn
}

/** A place in the journal. */
export interface Place {
  readonly segment: number
  readonly offset: number
}

export interface Journal {
  /** Buffers it; it is written with the next commit, at the latest at the end of this turn. Returns the file it goes to. */
  append(record: LedgerRecord): number
  /** Writes what is buffered; nothing to do: costs nothing. False: it could not be written. Never throws. */
  commit(): boolean
  /** Resolves when all that was appended is as durable as it is going to be. */
  durable(): Promise<void>
  /** So many records of the file are in the database. A file of which all are is deleted. */
  shipped(segment: number, records: number): void
  /** Where the next line goes. */
  readonly end: Place
  pathOf(segment: number): string
  /** Records that could not be written. */
  readonly unwritten: number
  /** Paths of all files that still stand. */
  close(): readonly string[]
}

const SEGMENT_BYTES = 2 * 1024 * 1024

export const segmentName = (segment: number): string => `${String(segment).padStart(6, '0')}.journal`
export const isSegment = (name: string): boolean => /^\d{6,}\.journal$/.test(name)

export function openJournal({
  directory,
  warn,
  strict = false,
  segmentBytes = SEGMENT_BYTES,
  write = (file, text) => (typeof text === 'string' ? writeSync(file, text) : writeSync(file, text)),
  turn = createTurn(),
}: JournalOptions): Journal {
  const pathOf = (segment: number): string => join(directory, segmentName(segment))
  const open = (segment: number): number => openSync(pathOf(segment), 'ax', 0o600)

  let segment = 1
  let fd = open(segment)
  let offset = 0
  let fullAt = segmentBytes
  let buffer = ''
  let buffered = 0
  let unwritten = 0
  let closed = false
  /** The last write failed, maybe in the middle of a line. */
  let torn = false
  /** Records in each file that the database does not have. */
  const owed = new Map([[segment, 0]])

  let writes = 0
  let synced = 0
  let syncing = false
  let waiters: { readonly upTo: number; readonly resolve: () => void }[] = []

  function commit(): boolean {
    if (buffered === 0) return true
    const text = torn ? `\n${buffer}` : buffer
    const records = buffered
    buffer = ''
    buffered = 0
    writes++
    try {
      if (closed) throw new Error('it is closed')
      writeWhole(text)
      if (torn) warn('The ledger journal can be written again.')
      torn = false
    } catch (error) {
      unwritten += records
      if (!torn)
        warn(`The ledger journal cannot be written: ${(error as Error).message}. Until it can, a kill of this process loses entries.`)
      torn = true
      return false
    }
    if (offset >= fullAt && !syncing) rotate()
    return true
  }

  function writeWhole(text: string): void {
    const size = Buffer.byteLength(text)
    let written = write(fd, text)
    offset += written
    if (written === size) return
    // A nearly full disk takes a part; the next attempt says why.
    const bytes = Buffer.from(text)
    while (written < size) {
      const more = write(fd, bytes.subarray(written))
      if (more <= 0) throw new Error('nothing was written')
      written += more
      offset += more
    }
  }

  function rotate(): void {
    try {
      const next = open(segment + 1)
      if (strict) fdatasyncSync(fd)
      closeSync(fd)
      const full = segment
      fd = next
      segment++
      offset = 0
      fullAt = segmentBytes
      owed.set(segment, 0)
      if (owed.get(full) === 0) drop(full)
    } catch {
      // Goes on in the old one.
      fullAt = offset + segmentBytes
    }
  }

  function drop(finished: number): void {
    owed.delete(finished)
    unlink(pathOf(finished), () => {})
  }

  function sync(): void {
    if (syncing || closed) return
    syncing = true
    const upTo = writes
    fdatasync(fd, (error) => {
      syncing = false
      if (error) warn(`The ledger journal may not be on disk: ${error.message}.`)
      synced = upTo
      const due = waiters.filter((waiter) => waiter.upTo <= synced)
      waiters = waiters.filter((waiter) => waiter.upTo > synced)
      for (const { resolve } of due) resolve()
      if (waiters.length > 0) sync()
    })
  }

  return {
    append(record) {
      buffer += lineOf(record)
      if (buffered++ === 0) turn.atEnd(commit)
      owed.set(segment, (owed.get(segment) ?? 0) + 1)
      return segment
    },
    commit,
    durable() {
      commit()
      if (!strict || closed || synced >= writes) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.push({ upTo: writes, resolve })
      sync()
      return promise
    },
    shipped(of, records) {
      const left = (owed.get(of) ?? 0) - records
      owed.set(of, left)
      if (left <= 0 && of !== segment) drop(of)
    },
    get end() {
      return { segment, offset }
    },
    pathOf,
    get unwritten() {
      return unwritten
    },
    close() {
      if (!closed) {
        commit()
        closed = true
        if (strict) fdatasyncSync(fd)
        closeSync(fd)
        for (const { resolve } of waiters.splice(0)) resolve()
      }
      return [...owed.keys()].map(pathOf)
    },
  }
}
