/** Providers that answer from a script, in this process. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cancellation } from '../../src/core/cancellation.ts'
import { GatewayError } from '../../src/core/error.ts'
import { bytesOf, type Headers, type Transport, type UpstreamRequest } from '../../src/core/http.ts'

export interface Step {
  /** Milliseconds before the head of the answer. */
  readonly afterMs?: number
  readonly status?: number
  readonly headers?: Headers
  /** Text, or texts and pauses in milliseconds. An error breaks the body there. */
  readonly body?: string | readonly (string | number | Error)[]
  /** Instead of an answer. */
  readonly error?: GatewayError
}

export interface Scripted extends Transport {
  /** What was asked of each host, in order. */
  readonly asked: readonly { readonly host: string; readonly request: UpstreamRequest }[]
  /** Bodies that are still being read. */
  open(): number
}

/** The steps of a host are taken in turn; the last one stays. */
export function scripted(hosts: Readonly<Record<string, readonly Step[]>>): Scripted {
  const asked: { host: string; request: UpstreamRequest }[] = []
  const taken = new Map<string, number>()
  let open = 0

  async function waited(ms: number, cancellation: Cancellation): Promise<void> {
    const controller = new AbortController()
    const forget = cancellation.onCancel(() => controller.abort())
    try {
      await sleep(ms, undefined, { signal: controller.signal })
    } catch {
      throw cancellation.reason
    } finally {
      forget()
    }
  }

  async function* pieces(body: NonNullable<Step['body']>, cancellation: Cancellation): AsyncGenerator<Uint8Array> {
    open++
    try {
      for (const piece of typeof body === 'string' ? [body] : body) {
        if (cancellation.cancelled) throw cancellation.reason
        if (typeof piece === 'number') await waited(piece, cancellation)
        else if (typeof piece === 'string') yield bytesOf(piece)
        else throw piece
      }
    } finally {
      open--
    }
  }

  return {
    asked,
    open: () => open,
    async send(request, cancellation) {
      const host = new URL(request.url).host
      const steps = hosts[host] ?? []
      const turn = taken.get(host) ?? 0
      taken.set(host, turn + 1)
      asked.push({ host, request })
      const step = steps[Math.min(turn, steps.length - 1)]
      if (!step) throw new GatewayError('upstream-unreachable', `${host} has no script`, { unsent: true })
      if (step.afterMs) await waited(step.afterMs, cancellation)
      if (step.error) throw step.error
      return { status: step.status ?? 200, headers: step.headers ?? {}, body: pieces(step.body ?? '', cancellation) }
    },
    close: async () => {},
  }
}

export const broken = (): GatewayError => new GatewayError('upstream-unreachable', 'The connection broke.')
export const unreachable = (): GatewayError => new GatewayError('upstream-unreachable', 'No connection.', { unsent: true })
