/**
 * Two scripted providers behind an embedded gateway: the first breaks off after some events, the second carries on from
 * what it is told was said, the way a model would: from exactly there, or with its last words again.
 */
import type { Outcome } from '../../src/accounting/outcome.ts'
import type { Cancellation } from '../../src/core/cancellation.ts'
import { GatewayError } from '../../src/core/error.ts'
import type { Transport, UpstreamRequest, UpstreamResponse } from '../../src/core/http.ts'
import { type ConfigInput, createGateway } from '../../src/index.ts'
import type { SimulatedWireId } from '../../src/testing/index.ts'
import type { Simulation } from '../../src/testing/simulator/simulation.ts'
import { createSimulator } from '../../src/testing/simulator/simulator.ts'
import { simulatorTransport } from '../../src/testing/simulator/transport.ts'

export const wires: readonly SimulatedWireId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini']

/** Short, but with most of what makes a join hard: lists, doubled spaces, line ends, words that come again, other scripts. */
export const TEXT =
  'Once upon a time,\nby the  sea, a réd fox said:\n\n- one thing\n- one thing more, 世界 too\n\nAnd so it went on, and on.'

const upstream: Readonly<Record<SimulatedWireId, { readonly preset: string; readonly model: string; readonly version: string }>> = {
  'openai-chat': { preset: 'openai-compatible', model: 'some-model', version: 'v1' },
  'openai-responses': { preset: 'openai', model: 'gpt-5.5', version: 'v1' },
  'anthropic-messages': { preset: 'anthropic-compatible', model: 'some-model', version: 'v1' },
  gemini: { preset: 'gemini-compatible', model: 'some-model', version: 'v1beta' },
}

export type Break = 'error' | 'end' | 'half'

export interface Script {
  readonly first: SimulatedWireId
  readonly second: SimulatedWireId
  /** After how many frames the first one breaks off; undefined: never. */
  readonly after?: number
  readonly how?: Break
  /** Words that the second says again. */
  readonly repeats?: number
  readonly text?: string
  readonly onBreak?: 'error' | 'restart' | 'continue'
  /** What the first provider does besides. */
  readonly simulation?: Simulation
  /** Another model at the second provider, with a preset that knows it. */
  readonly target?: { readonly preset: string; readonly model: string }
  readonly route?: Readonly<Record<string, unknown>>
  /** Only the first provider stands in the route. */
  readonly alone?: boolean
  /** What the second says, whatever it is asked. */
  readonly says?: string
  /** What the second provider does besides. */
  readonly thenSimulation?: Simulation
  /** The second breaks off too, after so many frames, every time. */
  readonly thenAfter?: number
  /** Milliseconds before each frame of the first. */
  readonly eventMs?: number
}

export function continueRig(script: Script) {
  const { first, second, text = TEXT, onBreak = 'continue', target } = script
  let { after, how = 'error', repeats = 0 } = script
  const sent: { readonly provider: 'a' | 'b'; readonly body: Record<string, unknown> }[] = []
  const outcomes: Outcome[] = []
  let frames = 0
  let breaks = 1
  const whole: string[] = []

  const answer = (request: UpstreamRequest, simulation: Simulation, cancellation: Cancellation): Promise<UpstreamResponse> =>
    simulatorTransport(createSimulator({ simulation, maxCalls: 0 })).send(request, cancellation)

  const transport: Transport = {
    async send(request, cancellation) {
      const provider = new URL(request.url).hostname === 'a.test' ? 'a' : 'b'
      const body = JSON.parse(typeof request.body === 'string' ? request.body : new TextDecoder().decode(request.body))
      sent.push({ provider, body })
      const breaking = provider === 'a' && breaks-- > 0
      if (breaking) {
        const reply = await answer(request, { text, ...script.simulation }, cancellation)
        return {
          ...reply,
          body: cut(
            reply.body,
            after,
            how,
            (all) => {
              frames = all.length
              whole.push(all.join(''))
            },
            script.eventMs,
          ),
        }
      }
      const said = saidIn(body, text)
      const reply = await answer(request, { text: script.says ?? rest(text, said, repeats), ...script.thenSimulation }, cancellation)
      return { ...reply, body: cut(reply.body, script.thenAfter, how, (all) => whole.push(all.join('')), 0, 'two00') }
    },
    close: async () => {},
  }

  const providerOf = (wire: SimulatedWireId, host: string, preset = upstream[wire].preset) => ({
    preset,
    wire,
    baseUrl: `http://${host}/${upstream[wire].version}`,
    keys: ['env:KEY'],
  })
  const targets = [
    { provider: 'a', model: upstream[first].model },
    ...(script.alone ? [] : [{ provider: 'b', model: target?.model ?? upstream[second].model }]),
  ]
  const gateway = createGateway(
    {
      providers: { a: providerOf(first, 'a.test'), b: providerOf(second, 'b.test', target?.preset) },
      models: { story: { targets, onBreak, ...script.route } },
      defaults: { retries: { attempts: 1 } },
    } as ConfigInput,
    { env: { KEY: 'secret-of-the-test' }, transport, sinks: [{ name: 'test', record: (outcome) => outcomes.push(outcome) }] },
  )
  return {
    gateway,
    sent,
    outcomes,
    /** How many frames the first provider's answer has. */
    frames: () => frames,
    /** All that each answer would have said, had it not been cut. */
    whole,
    /** From here on another script. */
    play(next: Pick<Script, 'after' | 'how' | 'repeats'>): void {
      ;({ after, how = 'error', repeats = 0 } = next)
      breaks = 1
      sent.length = 0
      outcomes.length = 0
    },
  }
}

/** The longest beginning of the text that a request quotes. */
export function saidIn(body: unknown, text: string): number {
  let longest = 0
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      let size = 0
      const start = value.indexOf(text.slice(0, 1))
      if (start < 0) return
      const from = value.startsWith(text.slice(0, 4)) || text.startsWith(value) ? 0 : -1
      if (from < 0) return
      while (size < value.length && value[size] === text[size]) size++
      longest = Math.max(longest, size)
    } else if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) visit(member)
  }
  visit(body)
  return longest
}

/** The text from there on, or from some words before. */
function rest(text: string, from: number, repeats: number): string {
  const before = text.slice(0, from)
  const words = [...before.matchAll(/\S+/g)]
  const at = repeats > 0 && words.length > 0 ? (words.at(-Math.min(repeats, words.length))?.index ?? from) : from
  return text.slice(at)
}

async function* cut(
  body: AsyncIterable<Uint8Array>,
  after: number | undefined,
  how: Break,
  see: (frames: readonly string[]) => void,
  eventMs = 0,
  ids = 'sim00',
): AsyncGenerator<Uint8Array> {
  let all = ''
  const decoder = new TextDecoder()
  for await (const bytes of body) all += decoder.decode(bytes, { stream: true })
  // Each simulator counts its answers from one: another answer has other ids.
  const frames = all.replaceAll('sim00', ids).split(/(?<=\r?\n\r?\n)/)
  see(frames)
  const encoder = new TextEncoder()
  for (const [index, frame] of frames.entries()) {
    if (eventMs > 0) await new Promise((resolve) => setTimeout(resolve, eventMs))
    if (index === after) {
      if (how === 'half') yield encoder.encode(frame.slice(0, frame.length / 2))
      if (how !== 'error') return
      throw new GatewayError('upstream-unreachable', 'The connection to the provider broke.')
    }
    yield encoder.encode(frame)
  }
}
