/** A lean abort signal: one object, no event machinery, since every call makes some. */
export class Cancellation {
  #reason: unknown
  #listeners: ((reason: unknown) => void)[] | undefined
  #cancelled = false

  get cancelled(): boolean {
    return this.#cancelled
  }
  get reason(): unknown {
    return this.#reason
  }

  /** Once; later calls do nothing. */
  cancel(reason: unknown): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#reason = reason
    const listeners = this.#listeners
    this.#listeners = undefined
    if (listeners) for (const listener of listeners) listener(reason)
  }

  /** Calls back on cancellation, at once if it has happened. Returns a function that forgets the listener. */
  onCancel(listener: (reason: unknown) => void): () => void {
    if (this.#cancelled) {
      listener(this.#reason)
      return () => {}
    }
    this.#listeners ??= []
    this.#listeners.push(listener)
    return () => {
      const index = this.#listeners?.indexOf(listener) ?? -1
      if (index >= 0) this.#listeners?.splice(index, 1)
    }
  }
}
