/** Reads again what the store says has changed, until that succeeds; after too many changes at once, everything. */

type Kind = 'key' | 'admin' | 'token'

export interface RefreshOptions {
  /** Rejects when the store cannot be reached. */
  readonly read: (kind: Kind, id: string) => Promise<void>
  readonly load: () => Promise<void>
}

export interface Refresh {
  changed(kind: Kind, id: string): void
  /** Resolves when the first try has ended. */
  load(): Promise<void>
  close(): void
}

const AT_ONCE = 16
const TOO_MANY = 2_000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

export function createRefresh({ read, load }: RefreshOptions): Refresh {
  /** What is to be read, and the number of the change that asked for it. */
  const pending = new Map<string, { readonly kind: Kind; readonly id: string; readonly change: number }>()
  let count = 0
  let loadWanted = false
  let waitMs = FIRST_WAIT_MS
  let running: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  return {
    changed(kind, id) {
      pending.set(`${kind}/${id}`, { kind, id, change: ++count })
      if (pending.size > TOO_MANY) loadWanted = true
      void run()
    },
    load() {
      loadWanted = true
      return run()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }

  /** One at a time: what is read while everything is being loaded could be older than what is loaded. */
  function run(): Promise<void> {
    if (closed) return Promise.resolve()
    // After a fault only the timer begins again.
    if (timer) return running ?? Promise.resolve()
    running ??= work().finally(() => {
      running = undefined
      // Told of just as the work ended.
      if (!timer && (loadWanted || pending.size > 0)) void run()
    })
    return running
  }

  async function work(): Promise<void> {
    try {
      while (!closed && (loadWanted || pending.size > 0)) {
        if (loadWanted) await loadAll()
        else await readSome()
      }
      waitMs = FIRST_WAIT_MS
    } catch {
      again()
    }
  }

  async function loadAll(): Promise<void> {
    const before = count
    await load()
    loadWanted = false
    // What changed while it was being read may have been read before it changed.
    for (const [key, { change }] of pending) if (change <= before) pending.delete(key)
  }

  async function readSome(): Promise<void> {
    const some = [...pending.entries()].slice(0, AT_ONCE)
    const results = await Promise.allSettled(
      some.map(async ([key, { kind, id, change }]) => {
        await read(kind, id)
        if (pending.get(key)?.change === change) pending.delete(key)
      }),
    )
    const failed = results.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
  }

  function again(): void {
    if (closed) return
    timer = setTimeout(() => {
      timer = undefined
      void run()
    }, waitMs)
    timer.unref()
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  }
}
