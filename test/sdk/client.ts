/** One face for all SDKs, so that every scenario is written once. Each client does what its own documentation tells users to do. */

import type { GatewayFetch } from '../../src/index.ts'
import type { SimulatedWireId } from '../../src/testing/index.ts'

export interface Place {
  /** Of the gateway, without a slash at the end. */
  readonly url: string
  /** Instead of sockets. */
  readonly fetch?: GatewayFetch
}

export interface Question {
  readonly text: string
  readonly streamed: boolean
  /** Default: the client's own. */
  readonly model?: string
  readonly system?: string
  /** Attach the small picture of `picture`. */
  readonly image?: boolean
  /** Offer the tools of `tools`; `forced` must be called. */
  readonly tools?: boolean
  readonly forced?: string
  /** Ask for an object of `citySchema`. */
  readonly structured?: boolean
  readonly reasoning?: boolean
  /** Say something that no dialect allows, at `Client.malformedPath`. */
  readonly malformed?: boolean
  readonly maxTokens?: number
  readonly signal?: AbortSignal
  /** Called with each piece of text of a stream. */
  readonly onText?: (text: string) => void
}

export interface CalledTool {
  readonly id: string
  readonly name: string
  readonly input: unknown
}

export interface Said {
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly CalledTool[]
  readonly finish: 'stop' | 'length' | 'tools' | 'other'
  /** As the SDK shows them. */
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  /** Pieces of text in which a streamed answer came; 0 for a plain one. */
  readonly pieces: number
}

export interface ToolResult {
  readonly id: string
  readonly name: string
  readonly text: string
}

export interface Turn {
  readonly said: Said
  /** Goes on with the same conversation: what the model said, as the SDK gave it, then these results. */
  answer(results: readonly ToolResult[]): Promise<Turn>
}

export interface Client {
  readonly name: string
  /** The wire it speaks. */
  readonly wire: SimulatedWireId
  /** A model name that this SDK knows and sends its best to. */
  readonly model: string
  /** False: the SDK has no place where thinking is shown. */
  readonly showsReasoning: boolean
  /** Where `Question.malformed` is wrong; undefined when the SDK cannot send such a request. */
  readonly malformedPath?: string
  ask(question: Question): Promise<Turn>
  count?(text: string): Promise<number>
  models?(): Promise<readonly string[]>
  /** True: of a streamed answer the SDK keeps no reasoning state, so that none can come back. */
  readonly forgetsReasoning?: boolean
  /** True: of a stream's usage the SDK reads the input at its start only, and adds up the output of its start and end. */
  readonly addsStartTokens?: boolean
  /** What the SDK makes of an error answer. */
  statusOf(error: unknown): number | undefined
}

/** What every client is given as its key. It must never reach a provider. */
export const callersKey = 'key-of-the-caller'

/** One red pixel. */
export const picture = {
  mime: 'image/png',
  base64: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
}

export const tools = [
  {
    name: 'get_weather',
    description: 'Current weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
  {
    name: 'get_time',
    description: 'Local time of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
] as const

export const citySchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    population: { type: 'integer' },
    districts: { type: 'array', items: { type: 'string' } },
  },
  required: ['name', 'population', 'districts'],
  additionalProperties: false,
} as const

export const finishOf = (
  word: string | null | undefined,
  tools: readonly string[],
  length: readonly string[],
  stop: readonly string[],
): Said['finish'] => {
  if (word === null || word === undefined) return 'other'
  if (tools.includes(word)) return 'tools'
  if (length.includes(word)) return 'length'
  return stop.includes(word) ? 'stop' : 'other'
}

/** The status under the name that most SDKs use. */
export function statusIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { status, statusCode, cause } = error as { status?: unknown; statusCode?: unknown; cause?: unknown }
  if (typeof status === 'number') return status
  return typeof statusCode === 'number' ? statusCode : statusIn(cause)
}
