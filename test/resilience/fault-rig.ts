/** An embedded gateway before scripted providers: each host is a simulator of its own that goes wrong as told. */
import assert from 'node:assert/strict'
import type { Outcome } from '../../src/accounting/outcome.ts'
import type { Transport, UpstreamRequest } from '../../src/core/http.ts'
import { parseJson } from '../../src/core/json.ts'
import { type ConfigInput, createGateway } from '../../src/index.ts'
import { createSimulator, type Simulation, simulatorTransport } from '../../src/testing/index.ts'

type RouteInput = NonNullable<ConfigInput['models']>[string]

export interface FaultRigOptions {
  /** What each host does, by its name; it can be changed later in `hosts`. */
  readonly hosts: Readonly<Record<string, Simulation | ((request: UpstreamRequest) => Simulation)>>
  readonly route?: Partial<RouteInput>
  readonly defaults?: ConfigInput['defaults']
  /** Keys of every host. */
  readonly keys?: readonly string[]
  readonly models?: Readonly<Record<string, string>>
}

export interface Called {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

export function faultRig({ hosts: given, route, defaults, keys = [], models = {} }: FaultRigOptions) {
  const hosts: Record<string, Simulation | ((request: UpstreamRequest) => Simulation)> = { ...given }
  const sent: string[] = []
  const requests: UpstreamRequest[] = []
  const outcomes: Outcome[] = []
  const transport: Transport = {
    send(request, cancellation) {
      const [host = ''] = new URL(request.url).hostname.split('.')
      sent.push(host)
      requests.push(request)
      const told = hosts[host] ?? {}
      const simulation = typeof told === 'function' ? told(request) : told
      return simulatorTransport(createSimulator({ simulation, maxCalls: 0 })).send(request, cancellation)
    },
    close: async () => {},
  }
  const names = Object.keys(given)
  const config: ConfigInput = {
    providers: Object.fromEntries(
      names.map((name) => [
        name,
        {
          preset: 'openai-compatible',
          baseUrl: `http://${name}.test/v1`,
          keys: keys.length > 0 ? keys.map((_, place) => `env:K${place}`) : ['env:K0'],
        },
      ]),
    ),
    defaults: { timeouts: { firstToken: '80ms', answer: '80ms', idle: '80ms', total: '3s' }, ...defaults },
    models: { r: { targets: names.map((provider) => ({ provider, model: models[provider] ?? 'm' })), ...route } },
  }
  const env = keys.length > 0 ? Object.fromEntries(keys.map((key, place) => [`K${place}`, key])) : { K0: 'key' }
  const gateway = createGateway(config, { env, transport, sinks: [{ name: 'test', record: (outcome) => void outcomes.push(outcome) }] })

  async function call({ stream = false, model = 'r', headers = {}, body = {} }: CallOptions = {}): Promise<Called> {
    const response = await gateway.fetch(
      new Request('http://gateway.test/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: WORDS }], ...(stream && { stream: true }), ...body }),
      }),
    )
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  /** So many calls, a few at a time. */
  async function calls(count: number, options?: CallOptions): Promise<readonly Called[]> {
    const done: Called[] = []
    let left = count
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while (left-- > 0) done.push(await call(options))
      }),
    )
    return done
  }
  return { hosts, sent, requests, outcomes, call, calls }
}

export interface CallOptions {
  readonly stream?: boolean
  readonly model?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
}

const WORDS = 'one two three four five six seven eight nine ten'
const ANSWER = `You said: ${WORDS}`

export type Ending = 'answer' | 'refusal' | 'broken'

/** What a caller makes of it; fails for what looks like success and is none. */
export function endingOf({ status, text }: Called, stream: boolean): Ending {
  if (status !== 200) {
    assert.equal(typeof JSON.parse(text).error.message, 'string')
    return 'refusal'
  }
  if (!stream) {
    const [choice] = JSON.parse(text).choices
    assert.equal(choice.message.content, ANSWER)
    assert.equal(choice.finish_reason, 'stop')
    return 'answer'
  }
  const frames = text.split('\n\n').filter((frame) => frame.startsWith('data: {'))
  // An event that no SDK can read is an error to it.
  if (frames.some((frame) => parseJson(frame.slice(6)) === undefined)) return 'broken'
  const events = frames.map((frame) => JSON.parse(frame.slice(6)))
  if (events.some((event) => event.error)) {
    assert.ok(!text.includes('[DONE]') && !text.includes('"finish_reason":"stop"'), 'an error is no success')
    return 'broken'
  }
  assert.equal(events.map((event) => event.choices?.[0]?.delta?.content ?? '').join(''), ANSWER)
  assert.ok(text.includes('"finish_reason":"stop"') && text.includes('[DONE]'))
  return 'answer'
}
