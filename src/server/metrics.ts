/** `/metrics`: what calls add up to, and how the process is now, in the text that Prometheus reads. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallMetrics } from '../accounting/metrics/call-metrics.ts'
import { renderGauges } from '../accounting/metrics/registry.ts'
import { type StateSources, stateMetrics } from '../accounting/metrics/state-metrics.ts'
import type { GatewayError } from '../core/error.ts'
import type { Headers } from '../core/http.ts'
import type { Caller } from '../core/policy.ts'

const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface MetricsEndpoint {
  page(): string | Promise<string>
  /** Whether who shows this credential may read it. */
  allowed(credential: string | undefined): boolean
  /** Somebody showed another one. What to answer instead of 401, if anything. */
  readonly guessed?: ((caller: Caller) => GatewayError | undefined) | undefined
}

/** Names of models and what is spent on them are not for everybody: where callers need a key, so does this. */
export async function serveMetrics(
  { page, allowed, guessed }: MetricsEndpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const [, credential] = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '') ?? []
  if (allowed(credential)) return reply.header('content-type', TYPE).send(await page())
  const tooMany =
    credential === undefined ? undefined : guessed?.({ credential, ip: request.socket.remoteAddress, headers: request.headers as Headers })
  if (tooMany)
    return reply
      .code(429)
      .header('retry-after', Math.ceil((tooMany.retryAfterMs ?? 1_000) / 1_000))
      .type('text/plain')
      .send(`${tooMany.message}\n`)
  return reply.code(401).header('www-authenticate', 'Bearer').type('text/plain').send("Metrics want the owner's key as a bearer token.\n")
}

export function metricsPage(calls: CallMetrics, sources: Omit<StateSources, 'process'>): () => string {
  const state = stateMetrics({ ...sources, process: processNow })
  return () => calls.registry.render() + renderGauges(state)
}

function processNow(): ReturnType<NonNullable<StateSources['process']>> {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { rssBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1e6, upSeconds: process.uptime() }
}

interface Connecting {
  readonly connector: object
}

/**
 * Tells how long new connections take. Those to one host that are made at once are told apart by their order, so that their
 * sum is right and each may be off by the others' difference. Returns what ends it.
 */
export function watchConnections(connected: (ms: number) => void): () => void {
  const begun = new WeakMap<object, number[]>()
  const before = (message: unknown): void => {
    const { connector } = message as Connecting
    const times = begun.get(connector)
    if (times) times.push(performance.now())
    else begun.set(connector, [performance.now()])
  }
  const stands = (message: unknown): void => {
    const since = begun.get((message as Connecting).connector)?.shift()
    if (since !== undefined) connected(performance.now() - since)
  }
  const failed = (message: unknown): void => void begun.get((message as Connecting).connector)?.shift()
  subscribe('undici:client:beforeConnect', before)
  subscribe('undici:client:connected', stands)
  subscribe('undici:client:connectError', failed)
  return () => {
    unsubscribe('undici:client:beforeConnect', before)
    unsubscribe('undici:client:connected', stands)
    unsubscribe('undici:client:connectError', failed)
  }
}
