/** Calls that wait for a place: the most urgent first, among equals the one that came first. Bounded by count. */
import { type Priority, priorities } from '../core/priority.ts'

export interface Waiter {
  readonly priority: Priority
  /** Bytes that it will hold. */
  readonly bytes: number
  /** It has left the line: served, refused or gone. Whoever takes it out of its turn only marks it. */
  gone: boolean
}

export class WaitingLine<W extends Waiter> {
  readonly #lines: Readonly<Record<Priority, W[]>> = { interactive: [], agent: [], batch: [] }
  #size = 0

  /** Those that still wait. */
  get size(): number {
    return this.#size
  }

  sizeOf(priority: Priority): number {
    let count = 0
    for (const { gone } of this.#lines[priority]) if (!gone) count++
    return count
  }

  add(waiter: W): void {
    this.#lines[waiter.priority].push(waiter)
    this.#size++
  }

  /** Takes one out, wherever it stands. */
  leave(waiter: W): void {
    if (waiter.gone) return
    waiter.gone = true
    this.#size--
    const line = this.#lines[waiter.priority]
    // Those in the middle stay as marks until their turn; both ends are kept clean.
    while (line.at(-1)?.gone) line.pop()
    let first = 0
    while (line[first]?.gone) first++
    if (first > 0) line.splice(0, first)
  }

  /** The one whose turn it is, among those that `fits` lets through: a less urgent one never passes a more urgent one that fits. */
  first(fits: (waiter: W) => boolean): W | undefined {
    for (const priority of priorities) {
      const waiter = this.#lines[priority].find(({ gone }) => !gone)
      if (waiter && fits(waiter)) return waiter
    }
    return undefined
  }

  /** The one to send away for a more urgent one: the last of the least urgent, if there is one less urgent than this. */
  lastBelow(priority: Priority): W | undefined {
    for (let index = priorities.length - 1; index > priorities.indexOf(priority); index--) {
      const waiter = this.#lines[priorities[index] as Priority].findLast(({ gone }) => !gone)
      if (waiter) return waiter
    }
    return undefined
  }

  /** Whether one as urgent as can be would find nobody to send away. */
  get allMostUrgent(): boolean {
    return this.lastBelow('interactive') === undefined
  }
}
