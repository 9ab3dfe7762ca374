/** Ids of an answer's tool calls: the provider's, unless they are missing, repeated, or not allowed in this dialect. */
import { newId } from '../../core/id.ts'

const LEGAL = /^[a-zA-Z0-9_-]+$/

export class CallIds {
  readonly #taken = new Set<string>()

  next(id: string | undefined): string {
    const fresh = id && LEGAL.test(id) && !this.#taken.has(id) ? id : newId('toolu_')
    this.#taken.add(fresh)
    return fresh
  }
}
