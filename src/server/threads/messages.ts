/** What the first thread and the others tell each other. */
import type { ServeFlags } from '../commands/serve.ts'
import type { ReloadResult } from '../reload.ts'

/** What another thread is started with. */
export interface ThreadStart {
  readonly index: number
  readonly threads: number
  readonly flags: ServeFlags
  readonly host: string
  readonly port: number
  /** Where the first thread's configuration came from. */
  readonly file: string | undefined
  readonly ownerKey: string
  readonly balance: SharedArrayBuffer
  readonly counters: SharedArrayBuffer | undefined
}

/** Asked of a thread, by the first one or by the others; each has an answer. */
export interface Questions {
  /** Its page of metrics. */
  metrics: { readonly ask: undefined; readonly answer: string }
  /** Asked of the first thread: the page of all threads. */
  allMetrics: { readonly ask: undefined; readonly answer: string }
  reload: { readonly ask: { readonly quietly: boolean }; readonly answer: ReloadResult | undefined }
  stop: { readonly ask: undefined; readonly answer: undefined }
}
export type Question = keyof Questions

type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'ask'; readonly id: number; readonly what: Question; readonly ask: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly answer?: unknown; readonly error?: string }

export type Answers = { [Q in Question]?: (ask: Questions[Q]['ask']) => Promise<Questions[Q]['answer']> }

export interface Line {
  ask<Q extends Question>(what: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']>
  tell(message: { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly why: string }): void
  /** Whoever waits for an answer hears that there will be none. */
  cut(): void
}

export interface LineOptions {
  readonly answers: Answers
  readonly told?: (message: Extract<Message, { kind: 'ready' | 'failed' }>) => void
}

interface Port {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: Message) => void): unknown
}

/** Questions and answers over a port. */
export function lineOver(port: Port, { answers, told }: LineOptions): Line {
  const waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>()
  let ids = 0
  port.on('message', (message) => {
    switch (message.kind) {
      case 'ask':
        void answer(message.id, message.what, message.ask)
        break
      case 'answer': {
        const asked = waiting.get(message.id)
        waiting.delete(message.id)
        if (message.error === undefined) asked?.resolve(message.answer as never)
        else asked?.reject(new Error(message.error))
        break
      }
      default:
        told?.(message)
    }
  })

  async function answer(id: number, what: Question, ask: unknown): Promise<void> {
    try {
      const act = answers[what] as ((ask: unknown) => Promise<unknown>) | undefined
      if (!act) throw new Error(`nobody answers ${what} here`)
      port.postMessage({ kind: 'answer', id, answer: await act(ask) })
    } catch (error) {
      port.postMessage({ kind: 'answer', id, error: error instanceof Error ? error.message : String(error) })
    }
  }

  return {
    ask: (what, ask) =>
      new Promise((resolve, reject) => {
        const id = ++ids
        waiting.set(id, { resolve, reject })
        port.postMessage({ kind: 'ask', id, what, ask })
      }),
    tell: (message) => port.postMessage(message),
    cut() {
      for (const { reject } of waiting.values()) reject(new Error('the thread ended'))
      waiting.clear()
    },
  }
}
