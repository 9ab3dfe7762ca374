/**
 * Memory that threads share as tables of records, behind one short lock. Writes are noted before they are made, so that whoever takes the
 * lock over from a thread that was terminated under it undoes what was half done.
 */
import { createHash } from 'node:crypto'
import { threadId } from 'node:worker_threads'

/** Fields of a table's records, as places in it. Names follow at `name`. */
export interface Shape {
  /** Cells of a record. */
  readonly size: number
  /** Cell at which the name begins, and how many characters it may have. Tables without names have no buckets. */
  readonly name?: { readonly at: number; readonly most: number }
}

/** Of every record with a name: the next of its bucket, its length, and a number that changes when the record is used anew. */
export const [NEXT, LENGTH, GENERATION] = [0, 1, 2] as const

export interface Table {
  readonly capacity: number
  /** Records ever used: those behind are untouched. */
  used(): number
  /** Cell at which a record begins. */
  at(record: number): number
  /** -1: none. */
  find(name: string): number
  isFull(): boolean
  /** -1: there is no room. All cells but those of every record are 0. Not after `remove` without `commit`: what was removed could not be undone. */
  add(name: string): number
  remove(record: number): void
}

export interface SharedMemory {
  readonly cells: Float64Array
  /** Writes a cell that others may read already. */
  put(cell: number, value: number): void
  /** What was done so far stands, whatever happens to this thread. */
  commit(): void
  /** Runs with the lock. Nothing in it may wait. */
  locked<T>(work: () => T): T
  readonly tables: readonly Table[]
  /** Cells for the user of this memory: `globals` of them from here. */
  readonly globals: number
}

export interface Plan {
  readonly shape: Shape
  readonly capacity: number
}

const [LOCK, TURN, WAITERS, SEED, HEADER_INTS] = [0, 1, 2, 3, 8] as const
const UNDO = 8_192
const GLOBALS = 16
/** A holder that makes no progress while another waits so often for so long is gone. Its own waits count: a stopped process is no evidence. */
const [WAITS, WAIT_MS, SPINS] = [400, 5, 200] as const
/** Cells: how many writes may have to be undone, the log, the user's, the tables. Per table: free list, records used. */
const LOG = 1

const cellsOf = ({ shape, capacity }: Plan): number => 2 + (shape.name ? capacity : 0) + shape.size * capacity

export function sharedMemoryBuffer(plans: readonly Plan[]): SharedArrayBuffer {
  const cells = LOG + 2 * UNDO + GLOBALS + plans.reduce((sum, plan) => sum + cellsOf(plan), 0)
  const buffer = new SharedArrayBuffer(HEADER_INTS * 4 + cells * 8)
  new Int32Array(buffer, 0, HEADER_INTS)[SEED] = (Math.random() * 2 ** 31) | 0
  return buffer
}

const tokenOf = (thread: number): number => thread + 1

/** To be called where the end of a thread is noticed: what it left half done is undone at once instead of after two seconds. */
export function recoverThread(buffer: SharedArrayBuffer, thread: number): void {
  const ints = new Int32Array(buffer, 0, HEADER_INTS)
  if (Atomics.compareExchange(ints, LOCK, tokenOf(thread), tokenOf(threadId)) !== tokenOf(thread)) return
  undo(new Float64Array(buffer, HEADER_INTS * 4))
  unlock(ints)
}

function undo(cells: Float64Array): void {
  for (let left = cells[0] ?? 0; left > 0; left--) {
    const entry = LOG + 2 * (left - 1)
    cells[cells[entry] ?? 0] = cells[entry + 1] ?? 0
    cells[0] = left - 1
  }
}

function unlock(ints: Int32Array): void {
  Atomics.add(ints, TURN, 1)
  Atomics.store(ints, LOCK, 0)
  if (Atomics.load(ints, WAITERS) > 0) Atomics.notify(ints, LOCK, 1)
}

export function openSharedMemory(buffer: SharedArrayBuffer, plans: readonly Plan[]): SharedMemory {
  const ints = new Int32Array(buffer, 0, HEADER_INTS)
  const cells = new Float64Array(buffer, HEADER_INTS * 4)
  const bytes = new Uint8Array(buffer, HEADER_INTS * 4)
  const seed = ints[SEED] ?? 0
  const me = tokenOf(threadId)

  function put(cell: number, value: number): void {
    const count = cells[0] ?? 0
    if (count >= UNDO) throw new RangeError('too much at once')
    const entry = LOG + 2 * count
    cells[entry] = cell
    cells[entry + 1] = cells[cell] ?? 0
    cells[0] = count + 1
    cells[cell] = value
  }

  function lock(): void {
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.compareExchange(ints, LOCK, 0, me) === 0) return
    Atomics.add(ints, WAITERS, 1)
    let turn = Atomics.load(ints, TURN)
    for (let waits = 0; ; ) {
      const holder = Atomics.compareExchange(ints, LOCK, 0, me)
      if (holder === 0) break
      const now = Atomics.load(ints, TURN)
      waits = now === turn ? waits + 1 : 0
      turn = now
      if (waits > WAITS && Atomics.compareExchange(ints, LOCK, holder, me) === holder) {
        undo(cells)
        break
      }
      Atomics.wait(ints, LOCK, holder, WAIT_MS)
    }
    Atomics.sub(ints, WAITERS, 1)
  }

  /** The seed is this memory's own: nobody can choose names that all fall into one bucket. */
  function mix(hash: number, character: number): number {
    const mixed = Math.imul(hash ^ character, 0x5bd1e995)
    return mixed ^ (mixed >>> 15)
  }
  const finish = (hash: number): number => (Math.imul(hash, 0x27d4eb2f) ^ (hash >>> 13)) >>> 0

  function tableAt(start: number, { shape, capacity }: Plan): Table {
    const [free, used] = [start, start + 1]
    const buckets = start + 2
    const records = buckets + (shape.name ? capacity : 0)
    const at = (record: number): number => records + record * shape.size
    const nameAt = (record: number): number => (at(record) + (shape.name?.at ?? 0)) * 8

    function bucketOf(name: string): number {
      let hash = seed
      for (let index = 0; index < name.length; index++) hash = mix(hash, name.charCodeAt(index))
      return buckets + (finish(hash) % capacity)
    }

    /** The same of a record, without making its name anew. */
    function bucketOfRecord(record: number): number {
      const from = nameAt(record)
      const end = from + (cells[at(record) + LENGTH] ?? 0)
      let hash = seed
      for (let byte = from; byte < end; byte++) hash = mix(hash, bytes[byte] ?? 0)
      return buckets + (finish(hash) % capacity)
    }

    function isCalled(record: number, name: string): boolean {
      if (cells[at(record) + LENGTH] !== name.length) return false
      const first = nameAt(record)
      for (let index = 0; index < name.length; index++) if (bytes[first + index] !== name.charCodeAt(index)) return false
      return true
    }

    function take(): number {
      const freed = (cells[free] ?? 0) - 1
      if (freed >= 0) {
        put(free, cells[at(freed) + NEXT] ?? 0)
        return freed
      }
      const next = cells[used] ?? 0
      if (next >= capacity) return -1
      put(used, next + 1)
      return next
    }

    return {
      capacity,
      used: () => cells[used] ?? 0,
      isFull: () => cells[free] === 0 && (cells[used] ?? 0) >= capacity,
      at,
      find(name) {
        for (let link = cells[bucketOf(name)] ?? 0; link > 0; link = cells[at(link - 1) + NEXT] ?? 0) {
          if (isCalled(link - 1, name)) return link - 1
        }
        return -1
      },
      add(name) {
        const record = take()
        if (record < 0) return -1
        // Nobody can see it yet, so this need not be undone. NEXT is how it hangs in the free list until `take` stands.
        const first = at(record)
        const generation = (cells[first + GENERATION] ?? 0) + 1
        for (let cell = first + 1; cell < first + shape.size; cell++) cells[cell] = 0
        cells[first + GENERATION] = generation
        if (!shape.name) return record
        cells[first + LENGTH] = name.length
        const byte = nameAt(record)
        for (let index = 0; index < name.length; index++) bytes[byte + index] = name.charCodeAt(index)
        const bucket = bucketOf(name)
        put(first + NEXT, cells[bucket] ?? 0)
        put(bucket, record + 1)
        return record
      },
      remove(record) {
        if (shape.name) {
          let before = bucketOfRecord(record)
          for (let link = cells[before] ?? 0; link > 0 && link !== record + 1; link = cells[before] ?? 0) before = at(link - 1) + NEXT
          put(before, cells[at(record) + NEXT] ?? 0)
        }
        put(at(record) + GENERATION, (cells[at(record) + GENERATION] ?? 0) + 1)
        put(at(record) + LENGTH, 0)
        put(at(record) + NEXT, cells[free] ?? 0)
        put(free, record + 1)
      },
    }
  }

  const tables: Table[] = []
  let start = LOG + 2 * UNDO + GLOBALS
  for (const plan of plans) {
    tables.push(tableAt(start, plan))
    start += cellsOf(plan)
  }

  return {
    cells,
    put,
    commit: () => {
      cells[0] = 0
    },
    locked(work) {
      lock()
      try {
        const result = work()
        cells[0] = 0
        return result
      } catch (error) {
        undo(cells)
        throw error
      } finally {
        unlock(ints)
      }
    },
    tables,
    globals: LOG + 2 * UNDO,
  }
}

/** What a name is in a table: itself, or, where it is too long or not printable ASCII, the end of it behind a digest of the whole. */
export function storedName(name: string, most: number): string {
  if (name.length > 0 && name.length <= most && /^[\x20-\x7e]*$/.test(name)) return name
  const digest = createHash('sha256').update(name).digest('base64url')
  return `#${digest} ${name.replaceAll(/[^\x20-\x7e]/g, '?').slice(digest.length + 2 - most)}`
}
