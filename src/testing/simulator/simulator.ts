/**
 * A model provider that needs no model: it speaks four wires, always says the same to the same request, and goes wrong
 * exactly as told. It shares no code with the gateway's own wires, so that it can test them.
 */
import { bytesOf, type Headers, type HttpRequest } from '../../core/http.ts'
import { isObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { decide } from './answer.ts'
import { simulatedAnthropicMessages } from './anthropic-messages.ts'
import { type Clock, plainBytes, streamBytes, wrongReply } from './faults.ts'
import { simulatedGemini } from './gemini.ts'
import { listShape, modelList, modelOf } from './models.ts'
import { simulatedOpenaiChat } from './openai-chat.ts'
import { simulatedOpenaiResponses } from './openai-responses.ts'
import { sealOf } from './seals.ts'
import { type Simulation, simulatedTraits, simulationOfModel, simulationOfText } from './simulation.ts'
import { prefixCache, promptTokens, usageOf } from './tokens.ts'
import {
  type Answer,
  type Ask,
  type ErrorDetails,
  type SimulatedCall,
  SimulatedRejection,
  type SimulatedReply,
  type SimulatedWire,
  type SimulatedWireId,
} from './types.ts'

export interface SimulatorOptions {
  /** What every model does unless told otherwise. */
  readonly simulation?: Simulation
  /** Models with a behaviour of their own, by exact name. They join the model list. */
  readonly models?: Readonly<Record<string, Simulation>>
  /** False: only listed models and traits answer, others are 404. Default true: any name answers. */
  readonly anyModel?: boolean
  /** Credentials that are accepted; others are 401. Default: no credential is looked at. */
  readonly keys?: readonly string[]
  /** Shortest prompt prefix, in tokens, that counts as cached when it comes again. Default 64. */
  readonly cacheMinTokens?: number
  /** How many calls are remembered in `calls`; older ones are forgotten. Default 1 000; 0 where nobody looks. */
  readonly maxCalls?: number
  readonly clock?: Partial<Clock>
}

export interface Simulator {
  /** Aborting the signal is a caller that hangs up. */
  handle(request: HttpRequest, signal?: AbortSignal): Promise<SimulatedReply>
  /** What was asked so far, oldest first. */
  readonly calls: readonly SimulatedCall[]
}

const wires: Readonly<Record<SimulatedWireId, SimulatedWire>> = {
  'openai-chat': simulatedOpenaiChat,
  'openai-responses': simulatedOpenaiResponses,
  'anthropic-messages': simulatedAnthropicMessages,
  gemini: simulatedGemini,
}

const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const timer = Number.isFinite(ms) ? setTimeout(finish, ms) : undefined
      function finish() {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      function leave() {
        clearTimeout(timer)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
    }),
}

type Writable<T> = { -readonly [Member in keyof T]: T[Member] }

interface Visit {
  readonly wire: SimulatedWire
  readonly operation: 'answer' | 'count'
}

function visitOf({ method, path }: HttpRequest): Visit | undefined {
  if (method !== 'POST') return undefined
  const visit = (id: SimulatedWireId, operation: Visit['operation'] = 'answer') => ({ wire: wires[id], operation })
  if (path.endsWith('/chat/completions')) return visit('openai-chat')
  if (path.endsWith('/responses')) return visit('openai-responses')
  if (path.endsWith('/responses/input_tokens')) return visit('openai-responses', 'count')
  if (path.endsWith('/messages')) return visit('anthropic-messages')
  if (path.endsWith('/messages/count_tokens')) return visit('anthropic-messages', 'count')
  if (/\/models\/.+:(stream)?generateContent$/i.test(path)) return visit('gemini')
  return /\/models\/.+:countTokens$/.test(path) ? visit('gemini', 'count') : undefined
}

/** What makes a reader stumble is a request like any other that is refused. */
function understood(wire: SimulatedWire, body: JsonObject, request: HttpRequest): Ask {
  try {
    return wire.read(body, request)
  } catch (thrown) {
    if (thrown instanceof SimulatedRejection) throw thrown
    throw new SimulatedRejection('The request could not be read: something in it is of another type than it should be.')
  }
}

export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const clock: Clock = { ...realClock, ...options.clock }
  const prefixes = prefixCache(options.cacheMinTokens ?? 64)
  const struck = new Map<string, number>()
  const calls: Writable<SimulatedCall>[] = []
  const names = [...Object.keys(options.models ?? {}), ...Object.keys(simulatedTraits)]
  let served = 0

  function reply(call: Writable<SimulatedCall>, status: number, body: JsonObject, headers: Headers = {}): SimulatedReply {
    call.status = status
    call.ended = 'finished'
    const bytes = bytesOf(JSON.stringify(body))
    return { status, headers: { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers }, body: bytes }
  }

  function refuse(call: Writable<SimulatedCall>, wire: SimulatedWire, details: ErrorDetails): SimulatedReply {
    return reply(call, details.status, wire.error(details))
  }

  async function handle(request: HttpRequest, signal: AbortSignal = new AbortController().signal): Promise<SimulatedReply> {
    const visit = visitOf(request)
    const call: Writable<SimulatedCall> = {
      wire: visit?.wire.id,
      operation: visit?.operation ?? (isModelPath(request) ? 'models' : 'other'),
      request,
      body: undefined,
      ask: undefined,
      simulation: {},
      status: 0,
      ended: undefined,
    }
    calls.push(call)
    if (calls.length > (options.maxCalls ?? 1_000)) calls.shift()
    if (!knowsKey(request, options.keys)) {
      return refuse(call, visit?.wire ?? wires[listShape(request)], { status: 401, message: 'The simulator does not know this key.' })
    }
    if (call.operation === 'models') return listModels(call)
    if (visit === undefined) {
      return refuse(call, wires[listShape(request)], {
        status: 404,
        message: `The simulator has nothing at ${request.method} ${request.path}.`,
      })
    }
    try {
      return await (visit.operation === 'count' ? count(call, visit.wire) : answer(call, visit.wire, signal))
    } catch (thrown) {
      if (thrown instanceof SimulatedRejection) return refuse(call, visit.wire, thrown.details)
      call.ended = signal.aborted ? 'aborted' : 'faulted'
      throw thrown
    }
  }

  function listModels(call: Writable<SimulatedCall>): SimulatedReply {
    const shape = listShape(call.request)
    const id = decodeURIComponent(/\/models\/(.+)$/.exec(call.request.path)?.[1] ?? '')
    if (id === '') return reply(call, 200, modelList(shape, names))
    if (names.includes(id)) return reply(call, 200, modelOf(shape, id))
    return refuse(call, wires[shape], { status: 404, message: `The model '${id}' does not exist.` })
  }

  function read(call: Writable<SimulatedCall>, wire: SimulatedWire): { readonly ask: Ask; readonly body: JsonObject } {
    const body: Json | undefined = parseJson(new TextDecoder().decode(call.request.body))
    call.body = body
    if (!isObject(body)) throw new SimulatedRejection('We could not parse the JSON body of your request: an object is expected.')
    const ask = understood(wire, body, call.request)
    call.ask = ask
    const own = options.models?.[ask.model]
    const traits = own ?? simulationOfModel(ask.model)
    if (traits === undefined && options.anyModel === false) {
      throw new SimulatedRejection(`The model '${ask.model}' does not exist.`, undefined, { status: 404 })
    }
    const told = simulationOfText(ask.instructions)
    const asked = simulationOfText(ask.lastText)
    call.simulation = { ...options.simulation, ...traits, ...told.simulation, ...asked.simulation }
    return { ask: { ...ask, lastText: asked.text, instructions: told.text }, body }
  }

  function count(call: Writable<SimulatedCall>, wire: SimulatedWire): SimulatedReply {
    const { ask } = read(call, wire)
    return wrongReply(wire, call.simulation, clock) ?? reply(call, 200, wire.count(promptTokens(ask.prompt)))
  }

  /** The simulation without its fault, once that has struck as often as it should. */
  function spent(simulation: Simulation, model: string): Simulation {
    const faulty =
      simulation.status !== undefined && simulation.fault === undefined ? { ...simulation, fault: 'status' as const } : simulation
    if (faulty.fault === undefined || faulty.times === undefined) return faulty
    const key = `${model} ${JSON.stringify(faulty)}`
    const before = struck.get(key) ?? 0
    if (struck.size > 10_000) struck.clear()
    struck.set(key, before + 1)
    if (before < faulty.times) return faulty
    const { fault: _fault, status: _status, ...rest } = faulty
    return rest
  }

  async function answer(call: Writable<SimulatedCall>, wire: SimulatedWire, signal: AbortSignal): Promise<SimulatedReply> {
    const { ask, body } = read(call, wire)
    const simulation = spent(call.simulation, ask.model)
    if (simulation.firstMs) await clock.sleep(simulation.firstMs, signal)
    const wrong = wrongReply(wire, simulation, clock)
    if (wrong) {
      call.status = wrong.status
      call.ended = 'faulted'
      return wrong
    }
    const made = compose(ask, simulation, wire.id)
    const hide = simulation.usage === false
    const fault = () => {
      call.ended = 'faulted'
    }
    const bytes = ask.stream
      ? streamBytes(wire, framesOf(wire, made, ask, body, call.request, hide), simulation, clock, signal, fault)
      : plainBytes(
          wire,
          JSON.stringify(hide ? withoutUsage(wire.plain(made, ask, body)) : wire.plain(made, ask, body)),
          simulation,
          clock,
          signal,
          fault,
        )
    call.status = 200
    const headers: Headers = {
      'content-type': ask.stream ? wire.streamType(call.request) : 'application/json',
      [wire.id === 'anthropic-messages' ? 'request-id' : 'x-request-id']: `req_${made.id}`,
      ...(simulation.fault === 'giant-header' ? { 'x-giant': 'x'.repeat(262_144) } : {}),
    }
    if (ask.stream || simulation.fault !== undefined) return { status: 200, headers, body: watched(call, bytes, signal) }
    const whole = await bytes.next()
    call.ended = 'finished'
    return {
      status: 200,
      headers: { ...headers, 'content-length': String(whole.value?.length ?? 0) },
      body: whole.value ?? new Uint8Array(0),
    }
  }

  function compose(ask: Ask, simulation: Simulation, wire: SimulatedWireId): Answer {
    const id = `sim${(++served).toString(36).padStart(6, '0')}`
    const decided = decide(ask, simulation, id, (thought) => sealOf(wire, ask.reasoning?.shown === false ? '' : thought, thought))
    return { id, created: Math.floor(clock.now() / 1000), ...decided, usage: usageOf(ask, decided.pieces, prefixes.visit(ask)) }
  }

  return { handle, calls }
}

const isModelPath = ({ method, path }: HttpRequest): boolean => method === 'GET' && /\/models(\/[^:]+)?\/?$/.test(path)

function knowsKey({ headers, query }: HttpRequest, keys: readonly string[] | undefined): boolean {
  if (keys === undefined) return true
  const bearer = headers['authorization']?.replace(/^Bearer\s+/i, '')
  const given = [bearer, headers['x-api-key'], headers['api-key'], headers['x-goog-api-key'], new URLSearchParams(query).get('key')]
  return given.some((key) => key !== null && key !== undefined && keys.includes(key))
}

/** Notes how the sending ended, whoever ended it. */
async function* watched(call: Writable<SimulatedCall>, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let whole = false
  try {
    yield* bytes
    whole = true
  } finally {
    if (call.ended !== 'faulted' || signal.aborted) call.ended = whole && !signal.aborted ? (call.ended ?? 'finished') : 'aborted'
  }
}

function* framesOf(wire: SimulatedWire, answer: Answer, ask: Ask, body: JsonObject, request: HttpRequest, hide: boolean) {
  for (const frame of wire.stream(answer, ask, body, request)) {
    yield hide ? { ...frame, text: frame.text.replace(/,"usage(Metadata)?":\{(?:[^{}]|\{[^{}]*\})*\}/g, '') } : frame
  }
}

function withoutUsage(body: JsonObject): JsonObject {
  const { usage: _usage, usageMetadata: _metadata, ...rest } = body
  return rest
}
