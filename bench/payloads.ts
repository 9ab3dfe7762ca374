// What travels in the bench: one request of about 1 KB, one answer of about 1 KB, and streams of small deltas, in the shapes
// of Chat Completions and Messages. Built once as buffers, so that neither the upstream nor the load generator costs much.

export type BenchWire = 'openai-chat' | 'anthropic-messages'

/** How a stream is sent. It travels in the model's name, the one field that every gateway passes on unchanged. */
export interface StreamPlan {
  /** Text deltas. */
  readonly events: number
  /** Milliseconds between two writes; 0 writes as fast as the socket takes it. */
  readonly paceMs: number
  /** Deltas per write. */
  readonly burst: number
}

export const PLAIN_MODEL = 'bench-plain'

export const modelOf = (plan: StreamPlan): string => `bench-s${plan.events}-p${plan.paceMs}-b${plan.burst}`

export function planOf(model: string): StreamPlan {
  const [, events = '20', pace = '0', burst = '1'] = /-s(\d+)-p(\d+)-b(\d+)$/.exec(model) ?? []
  return { events: Number(events), paceMs: Number(pace), burst: Math.max(1, Number(burst)) }
}

const SYSTEM =
  'You are a careful assistant for the support desk of a small tram operator. Answer briefly and name the line and the stop you mean.'
const QUESTION = 'And if I miss the 21:40 from the harbour, which connection is left that reaches the depot before 22:30?'

/** The upstream refuses a request that lost it: a proxy that sends half of the request is not fast. */
export const MARKER = 'before 22:30?'

const TURNS = [
  {
    role: 'user',
    content: 'I am at the harbour and need to reach the depot tonight. Which line should I take, and how often does it run after nine?',
  },
  {
    role: 'assistant',
    content: 'Line 4 leaves from the harbour every twenty minutes after 21:00. Get off at Mill Street and walk two minutes to the depot.',
  },
  {
    role: 'user',
    content: 'Does the ticket that I bought at noon still count? It says four hours on it, and it cost 6,80 € for two people.',
  },
  {
    role: 'assistant',
    content: 'No: four hours after noon it ended at 16:00. A new evening ticket costs 3,20 € per person and is valid until the last tram.',
  },
  { role: 'user', content: QUESTION },
]

export function requestBody(wire: BenchWire, model: string, stream: boolean): Buffer {
  const common = { model, max_tokens: 512, temperature: 0.7, ...(stream ? { stream: true } : {}) }
  const body =
    wire === 'openai-chat'
      ? { ...common, messages: [{ role: 'system', content: SYSTEM }, ...TURNS], user: 'bench' }
      : { ...common, system: SYSTEM, messages: TURNS, metadata: { user_id: 'bench' } }
  return Buffer.from(JSON.stringify(body))
}

/** Text of the plain answer. */
export const ANSWER = [
  'The 22:00 from the harbour still gets you there: it is line 4 as well, it reaches Mill Street at 22:17, and from there it is a two-minute walk along the canal to the depot, so you arrive at about 22:19.',
  'If that one is late, the night bus N2 leaves from the same stop at 22:05 and reaches the depot gate at 22:28, which leaves you two minutes.',
  'After that there is no connection that arrives before 22:30. The next tram is the 22:20, which reaches Mill Street at 22:37.',
].join('\n\n')

const CREATED = 1_790_000_000

export function plainAnswer(wire: BenchWire): Buffer {
  const body =
    wire === 'openai-chat'
      ? {
          id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
          object: 'chat.completion',
          created: CREATED,
          model: PLAIN_MODEL,
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: ANSWER, refusal: null, annotations: [] },
              logprobs: null,
              finish_reason: 'stop',
            },
          ],
          usage: {
            prompt_tokens: 214,
            completion_tokens: 117,
            total_tokens: 331,
            prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
            completion_tokens_details: {
              reasoning_tokens: 0,
              audio_tokens: 0,
              accepted_prediction_tokens: 0,
              rejected_prediction_tokens: 0,
            },
          },
          service_tier: 'default',
          system_fingerprint: 'fp_50cad350e4',
        }
      : {
          id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
          type: 'message',
          role: 'assistant',
          model: PLAIN_MODEL,
          content: [{ type: 'text', text: ANSWER }],
          stop_reason: 'end_turn',
          stop_sequence: null,
          usage: {
            input_tokens: 214,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            output_tokens: 117,
            service_tier: 'standard',
          },
        }
  return Buffer.from(JSON.stringify(body))
}

const TOKENS = ANSWER.match(/\s?\S{1,5}/g) ?? []

/** The i-th delta's text; every token of the answer in turn. */
const tokenAt = (i: number): string => TOKENS[i % TOKENS.length] ?? ''

/** Bytes by which the load generator knows that the first token has come. */
export const FIRST_TOKEN = Buffer.from(JSON.stringify(tokenAt(0)))

export function streamedText(events: number): string {
  let text = ''
  for (let i = 0; i < events; i++) text += tokenAt(i)
  return text
}

const chatChunk = (choices: unknown, usage?: unknown): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
    object: 'chat.completion.chunk',
    created: CREATED,
    model: 'bench-stream',
    service_tier: 'default',
    system_fingerprint: 'fp_50cad350e4',
    choices,
    ...(usage === undefined ? {} : { usage }),
  })}\n\n`

const chatDelta = (delta: unknown, finish: string | null): unknown => [{ index: 0, delta, logprobs: null, finish_reason: finish }]

const named = (event: { type: string }): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

export interface StreamShape {
  readonly head: readonly string[]
  readonly deltas: readonly string[]
  tail(events: number, includeUsage: boolean): readonly string[]
}

/** The events around the deltas, as the vendors send them, and one ready-made delta per token (used in turn). */
export const STREAMS: Record<BenchWire, StreamShape> = {
  'openai-chat': {
    head: [chatChunk(chatDelta({ role: 'assistant', content: '', refusal: null }, null))],
    deltas: TOKENS.map((token) => chatChunk(chatDelta({ content: token }, null))),
    tail: (events, includeUsage) => [
      chatChunk(chatDelta({}, 'stop')),
      ...(includeUsage ? [chatChunk([], { prompt_tokens: 214, completion_tokens: events, total_tokens: 214 + events })] : []),
      'data: [DONE]\n\n',
    ],
  },
  'anthropic-messages': {
    head: [
      named({
        type: 'message_start',
        message: {
          id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
          type: 'message',
          role: 'assistant',
          model: 'bench-stream',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 214, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
        },
      } as { type: string }),
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string }),
      named({ type: 'ping' }),
    ],
    deltas: TOKENS.map((token) =>
      named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: token } } as { type: string }),
    ),
    tail: (events) => [
      named({ type: 'content_block_stop', index: 0 } as { type: string }),
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: events } } as {
        type: string
      }),
      named({ type: 'message_stop' }),
    ],
  },
}
