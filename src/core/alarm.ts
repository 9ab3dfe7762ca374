/**
 * Timers for limits that are hardly ever reached. Every call sets some and cancels them soon after: those of one length
 * are due in the order in which they were set, so one system timer serves them all.
 */
import { MAX_TIMER_MS } from './units.ts'

export interface Alarm {
  /** Without effect once it has gone off. */
  cancel(): void
}

interface Timer {
  ref?(): unknown
  unref?(): unknown
}

/** Alarms of one length, oldest first. */
class Queue {
  readonly #ms: number
  #first: Entry | undefined
  #last: Entry | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  get idle(): boolean {
    return this.#first === undefined
  }

  add(fire: () => void): Entry {
    const entry = new Entry(this, performance.now() + this.#ms, fire, this.#last)
    if (this.#last) this.#last.next = entry
    else {
      this.#first = entry
      // An empty queue keeps its timer, but not the process.
      if (this.#timer === undefined) this.#arm(this.#ms)
      else (this.#timer as Timer).ref?.()
    }
    this.#last = entry
    return entry
  }

  remove(entry: Entry): void {
    const { previous, next } = entry
    if (previous) previous.next = next
    else this.#first = next
    if (next) next.previous = previous
    else this.#last = previous
    if (this.#first === undefined) (this.#timer as Timer | undefined)?.unref?.()
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#ring(), Math.min(ms, MAX_TIMER_MS))
  }

  #ring(): void {
    this.#timer = undefined
    const now = performance.now() + 1
    while (this.#first && this.#first.due <= now) {
      const due = this.#first
      due.cancel()
      due.fire()
    }
    if (this.#first && this.#timer === undefined) this.#arm(this.#first.due - performance.now())
  }
}

class Entry implements Alarm {
  readonly due: number
  readonly fire: () => void
  readonly #queue: Queue
  #gone = false
  previous: Entry | undefined
  next: Entry | undefined

  constructor(queue: Queue, due: number, fire: () => void, previous: Entry | undefined) {
    this.#queue = queue
    this.due = due
    this.fire = fire
    this.previous = previous
  }

  cancel(): void {
    if (this.#gone) return
    this.#gone = true
    this.#queue.remove(this)
  }
}

const queues = new Map<number, Queue>()
/** Configurations have a handful of lengths; callers may ask for any. */
const MAX_QUEUES = 256

/** Goes off after this many milliseconds, unless it is cancelled. */
export function alarmAfter(ms: number, fire: () => void): Alarm {
  let queue = queues.get(ms)
  if (!queue) {
    if (queues.size >= MAX_QUEUES) for (const [length, other] of queues) if (other.idle) queues.delete(length)
    if (queues.size >= MAX_QUEUES) return systemAlarm(ms, fire)
    queue = new Queue(ms)
    queues.set(ms, queue)
  }
  return queue.add(fire)
}

function systemAlarm(ms: number, fire: () => void): Alarm {
  const timer = setTimeout(fire, Math.min(ms, MAX_TIMER_MS))
  return { cancel: () => clearTimeout(timer) }
}
