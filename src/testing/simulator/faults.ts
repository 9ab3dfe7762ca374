/** What goes wrong on purpose while an answer is sent. */
import { bytesOf, type Headers } from '../../core/http.ts'
import { type Simulation, simulatedTraits } from './simulation.ts'
import type { ErrorDetails, Frame, SimulatedReply, SimulatedWire } from './types.ts'

/** The connection breaks here. The served form destroys its socket, the in-process form throws in its place. */
export class SimulatedBreak extends Error {
  /** True when nothing was sent: the connection never stood. */
  readonly refused: boolean
  constructor(refused: boolean) {
    super(refused ? 'The simulator refused the connection.' : 'The simulator broke the connection.')
    this.name = 'SimulatedBreak'
    this.refused = refused
  }
}

export interface Clock {
  now(): number
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Answers that are wrong from their first byte on; undefined when this simulation is not one of them. */
export function wrongReply(wire: SimulatedWire, simulation: Simulation, clock: Clock): SimulatedReply | undefined {
  const json = (status: number, details: ErrorDetails, headers: Headers = {}): SimulatedReply => ({
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: bytesOf(JSON.stringify(wire.error(details))),
  })
  switch (simulation.fault) {
    case 'status': {
      const status = simulation.status ?? 500
      const wait =
        simulation.retryForm === 'body' && simulation.retryAfter !== undefined ? { retryAfterMs: simulation.retryAfter * 1000 } : {}
      return json(status, { status, message: messageOf(simulation, status), ...wait }, retryHeaders(simulation, clock))
    }
    case 'refuse':
      throw new SimulatedBreak(true)
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: bytesOf('<html><body><h1>Bad gateway</h1></body></html>') }
    case 'empty':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: new Uint8Array(0) }
    case 'redirect':
      return { status: 307, headers: { location: 'http://127.0.0.1:9/elsewhere' }, body: new Uint8Array(0) }
    default:
      return undefined
  }
}

const messageOf = ({ message }: Simulation, status: number): string => message ?? `The simulator was told to answer ${status}.`

function retryHeaders({ retryAfter, retryForm = 'seconds' }: Simulation, clock: Clock): Headers {
  if (retryAfter === undefined || retryForm === 'body') return {}
  if (retryForm === 'ms') return { 'retry-after-ms': String(retryAfter * 1000) }
  return { 'retry-after': retryForm === 'date' ? new Date(clock.now() + retryAfter * 1000).toUTCString() : String(retryAfter) }
}

const errorStatus = (simulation: Simulation): number => simulation.status ?? simulatedTraits[simulation.fault ?? '']?.status ?? 500

const half = (text: string): string => text.slice(0, Math.ceil(text.length / 2))

/** A plain answer, perhaps spoilt. `fault` is told when the fault has struck. */
export async function* plainBytes(
  wire: SimulatedWire,
  text: string,
  simulation: Simulation,
  clock: Clock,
  signal: AbortSignal,
  fault: () => void,
): AsyncGenerator<Uint8Array> {
  switch (simulation.fault) {
    case 'error-in-200':
    case 'error-mid-stream': {
      fault()
      const status = errorStatus(simulation)
      yield bytesOf(JSON.stringify(wire.error({ status, message: messageOf(simulation, status) })))
      return
    }
    case 'garbage':
      fault()
      yield bytesOf(`${half(text)}\u0000{"broken": `)
      return
    case 'truncate':
      fault()
      yield bytesOf(half(text))
      return
    case 'reset':
      fault()
      yield bytesOf(half(text))
      throw new SimulatedBreak(false)
    case 'stall':
      fault()
      yield bytesOf(half(text))
      await clock.sleep(Number.POSITIVE_INFINITY, signal)
      return
    case 'endless':
      fault()
      yield bytesOf(half(text))
      yield* endless(' '.repeat(65_536), clock, signal)
      return
    case 'drip':
      yield* drip(bytesOf(text), simulation, clock, signal)
      return
    default:
      yield bytesOf(text)
  }
}

/** A streamed answer, perhaps spoilt. A fault strikes after `after` frames with output, at the latest before the ending. */
export async function* streamBytes(
  wire: SimulatedWire,
  frames: Iterable<Frame>,
  simulation: Simulation,
  clock: Clock,
  signal: AbortSignal,
  fault: () => void,
): AsyncGenerator<Uint8Array> {
  const after = simulation.fault === 'error-in-200' ? -1 : (simulation.after ?? 2)
  let outputs = 0
  for (const { kind, text } of frames) {
    if (strikes(simulation) && (after < 0 || outputs >= after || kind === 'close') && (kind !== 'open' || after < 0)) {
      fault()
      yield* strike(wire, text, simulation, clock, signal)
      return
    }
    if (kind === 'output') {
      outputs++
      if (simulation.eventMs && simulation.fault !== 'drip') await clock.sleep(simulation.eventMs, signal)
    }
    if (simulation.fault === 'drip') yield* drip(bytesOf(text), simulation, clock, signal)
    else yield bytesOf(text)
  }
}

const strikes = ({ fault }: Simulation): boolean =>
  fault !== undefined && ['error-in-200', 'error-mid-stream', 'garbage', 'truncate', 'reset', 'stall', 'endless'].includes(fault)

async function* strike(
  wire: SimulatedWire,
  next: string,
  simulation: Simulation,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const status = errorStatus(simulation)
  switch (simulation.fault) {
    case 'error-in-200':
    case 'error-mid-stream':
      yield bytesOf(wire.errorFrame({ status, message: messageOf(simulation, status) }))
      return
    case 'garbage':
      yield bytesOf('data: {"broken": \u0000\n\n')
      return
    case 'truncate':
      yield bytesOf(half(next))
      return
    case 'reset':
      yield bytesOf(half(next))
      throw new SimulatedBreak(false)
    case 'stall':
      await clock.sleep(Number.POSITIVE_INFINITY, signal)
      return
    default:
      yield* endless(`data: ${'x'.repeat(65_536)}`, clock, signal)
  }
}

async function* endless(text: string, clock: Clock, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const bytes = bytesOf(text)
  while (!signal.aborted) {
    yield bytes
    await clock.sleep(0, signal)
  }
}

async function* drip(bytes: Uint8Array, { eventMs = 0 }: Simulation, clock: Clock, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < bytes.length; index++) {
    await clock.sleep(eventMs, signal)
    yield bytes.subarray(index, index + 1)
  }
}
