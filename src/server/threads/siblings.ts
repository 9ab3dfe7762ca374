/** What threads of one process are to each other, as the start of each sees it. */
import type { ReloadResult } from '../reload.ts'
import type { ThreadStart } from './messages.ts'

/** One of several threads of one process that serve on the same port. */
export interface ThreadOptions {
  readonly index: number
  readonly threads: number
  readonly balance: SharedArrayBuffer
  /** Counters of all threads; the first one makes them. */
  readonly counters?: SharedArrayBuffer | undefined
  /** For all but the first: what it does for them. */
  readonly first?: {
    readonly ownerKey: string
    reload(quietly: boolean): Promise<ReloadResult | undefined>
    metrics(): Promise<string>
  }
}

/** What the first thread gives to whoever starts and tells the others. */
export interface Siblings {
  readonly start: Pick<ThreadStart, 'threads' | 'host' | 'port' | 'ownerKey' | 'balance' | 'counters'>
  /** Tells the operator. */
  tell(text: string): void
  /** Of all threads. */
  reload(quietly: boolean): Promise<ReloadResult | undefined>
  /** The first thread's own page. */
  metrics(): string
}

export interface Others {
  /** Resolves when all have started once. */
  readonly ready: Promise<void>
  reload(quietly: boolean): Promise<void>
  /** The page of all threads. */
  metrics(): Promise<string>
  /** Resolves when all have ended. */
  stop(): Promise<void>
}
