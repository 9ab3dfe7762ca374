/** A line in this process with the simulator behind it on each of the four wires, and what an answer must look like. */
import assert from 'node:assert/strict'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { assemble } from '../../src/config/assemble.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { ConfigInput } from '../../src/config/schema.ts'
import type { WireId } from '../../src/core/call.ts'
import type { Cancellation } from '../../src/core/cancellation.ts'
import { bytesOf, type Headers, type HttpReply, type Transport, type UpstreamRequest } from '../../src/core/http.ts'
import type { Line } from '../../src/gateway.ts'
import { createSimulator, simulatorTransport } from '../../src/testing/index.ts'

export type DialectId = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini'
export const dialects: readonly DialectId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini']

export interface Rig {
  readonly line: Line
  /** What went upstream since the last look, oldest first. */
  sent(): readonly UpstreamRequest[]
  /** Faults that the gateway did not foresee, in words. */
  unforeseen(): readonly string[]
}

export interface RigOptions {
  /** In the simulator's place. */
  readonly transport?: Transport
  readonly config?: Partial<ConfigInput>
  readonly keepAliveMs?: number
}

const catalog = createCatalog()

/** The provider `<wire>` speaks that wire only; any model name will do. */
export function rig({ transport = simulatorTransport(createSimulator({ maxCalls: 8 })), config, keepAliveMs }: RigOptions = {}): Rig {
  const sent: UpstreamRequest[] = []
  const unforeseen: string[] = []
  const simulator: Transport = {
    send(request: UpstreamRequest, cancellation: Cancellation) {
      sent.push(request)
      return transport.send(request, cancellation)
    },
    close: () => transport.close(),
  }
  const parsed = parseConfig(
    {
      providers: Object.fromEntries(dialects.map((wire) => [wire, { preset: 'simulator', wire }])),
      defaults: { retries: { attempts: 1 } },
      ...config,
    } as ConfigInput,
    { env: {}, catalog: () => catalog, embedded: true },
  )
  assert.ok(parsed.config, JSON.stringify(parsed.problems))
  const line = assemble({
    config: parsed.config,
    catalog,
    secrets: { env: {}, allowPlaintext: true },
    transport: simulator,
    simulatorTransport: () => simulator,
    keepAliveMs,
    sinks: [
      {
        name: 'test',
        record({ error, id }) {
          if (error?.code === 'internal') unforeseen.push(`${id} ${error.message}`)
        },
      },
    ],
  })
  return { line, sent: () => sent.splice(0), unforeseen: () => unforeseen.splice(0) }
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export async function ask(
  { line }: Rig,
  path: string,
  body: string | Uint8Array,
  { headers = {}, method = 'POST' }: { headers?: Headers; method?: string } = {},
): Promise<Answered> {
  const mark = path.indexOf('?')
  const reply = await line.handle({
    method,
    path: mark < 0 ? path : path.slice(0, mark),
    query: mark < 0 ? '' : path.slice(mark + 1),
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? bytesOf(body) : body,
  })
  return { status: reply.status, headers: reply.headers, text: await textOf(reply) }
}

export async function textOf({ body }: HttpReply): Promise<string> {
  if (body instanceof Uint8Array) return new TextDecoder().decode(body)
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

/** The same call to any dialect's endpoint: Gemini has model and stream in the path. */
export function pathOf(dialect: WireId, model: string, streamed: boolean): string {
  switch (dialect) {
    case 'openai-responses':
      return '/v1/responses'
    case 'anthropic-messages':
      return '/v1/messages'
    case 'gemini':
      return `/v1beta/models/${model}:${streamed ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
    default:
      return '/v1/chat/completions'
  }
}

/** What is wrong with an answer as an error of its dialect; undefined when nothing is. */
export function envelopeFault(dialect: DialectId, { status, text, headers }: Answered): string | undefined {
  let body: Record<string, unknown>
  try {
    body = JSON.parse(text)
  } catch {
    return 'not JSON'
  }
  if (headers['x-signalbox-error'] === undefined) return 'no x-signalbox-error'
  const error = body['error'] as Record<string, unknown> | undefined
  if (typeof error !== 'object' || error === null) return 'no error object'
  if (typeof error['message'] !== 'string' || error['message'] === '') return 'no message'
  if (dialect === 'gemini') return error['code'] === status && typeof error['status'] === 'string' ? undefined : 'not Google’s envelope'
  if (dialect === 'anthropic-messages')
    return body['type'] === 'error' && typeof error['type'] === 'string' ? undefined : 'not Anthropic’s envelope'
  return typeof error['type'] === 'string' && 'param' in error && 'code' in error ? undefined : 'not OpenAI’s envelope'
}

/** Where an error says the fault is, as CONTRACT places it. */
export function faultPath(dialect: DialectId, text: string): string | undefined {
  const { error } = JSON.parse(text)
  if (dialect === 'gemini')
    return error.details?.find((detail: { fieldViolations?: unknown }) => detail.fieldViolations)?.fieldViolations[0]?.field
  if (dialect === 'anthropic-messages') return /^([\w.[\]-]+): /.exec(error.message)?.[1]
  return error.param ?? undefined
}
