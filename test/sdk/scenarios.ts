/** What every SDK must be able to do through the gateway, whatever the wire behind it. Written once, run for each pair. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SimulatedCall, SimulatedWireId } from '../../src/testing/index.ts'
import { type Client, callersKey, type Question, type Turn } from './client.ts'

export interface Stage {
  readonly client: Client
  /** The wire behind the gateway. */
  readonly wire: SimulatedWireId
  /** What the simulated provider was asked, oldest first. */
  readonly calls: readonly SimulatedCall[]
  /** The same model under a name with traits of the simulator: `fail-429`, `truncate`. */
  readonly named: (traits: string) => string
}

type Scenario = (stage: Stage, streamed: boolean) => Promise<void>

const told = (simulation: object, text: string): string => `simulate: ${JSON.stringify(simulation)}\n${text}`

/** Calls that the provider got while `run` ran. */
async function during<T>(
  { calls }: Stage,
  run: () => Promise<T>,
): Promise<{ readonly value: T; readonly upstream: readonly SimulatedCall[] }> {
  const before = calls.length
  const value = await run()
  return { value, upstream: calls.slice(before) }
}

const ask = (stage: Stage, question: Question) => during(stage, () => stage.client.ask(question))

/** The error of a question that must fail. */
async function failure(stage: Stage, question: Question): Promise<unknown> {
  let turn: Turn
  try {
    turn = await stage.client.ask(question)
  } catch (error) {
    return error
  }
  return assert.fail(`answered: ${JSON.stringify(turn.said)}`)
}

/** Everything an error says, its causes included. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error)
  const { cause, ...members } = error as Error & Record<string, unknown>
  return `${error.message} ${safeJson(members)} ${cause === undefined ? '' : wordsOf(cause)}`
}

function safeJson(value: unknown): string {
  const seen = new Set<unknown>()
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null) return member
    if (seen.has(member)) return undefined
    seen.add(member)
    return member
  })
}

const scenarios: Readonly<Record<string, Scenario>> = {
  'gets the text, why it ended, and usage': async (stage, streamed) => {
    // A pace, so that pieces do not arrive all at once.
    const { value, upstream } = await ask(stage, { text: told({ eventMs: 3 }, 'Hello over there'), streamed })
    const { said } = value
    assert.equal(said.text, 'You said: Hello over there')
    assert.equal(said.finish, 'stop')
    // At the start of a stream most wires do not know their input yet, and this client looks only there.
    const late = streamed && stage.client.addsStartTokens && stage.wire !== stage.client.wire
    if (!late) assert.ok((said.inputTokens ?? 0) > 0, `input tokens: ${said.inputTokens}`)
    const extra = (said.outputTokens ?? 0) - Math.ceil(said.text.length / 4)
    assert.ok(extra === 0 || (extra === 1 && streamed && stage.client.addsStartTokens), `output tokens: ${said.outputTokens}`)
    if (streamed) assert.ok(said.pieces > 2, `came in ${said.pieces} pieces`)
    assert.equal(upstream.length, 1)
    assert.equal(upstream[0]?.wire, stage.wire)
    assert.equal(upstream[0]?.ask?.stream, streamed)
  },

  'keeps its key from the provider': async (stage, streamed) => {
    const { upstream } = await ask(stage, { text: 'Hello', streamed })
    const { headers, query } = upstream[0]?.request ?? assert.fail('no call')
    assert.ok(!JSON.stringify([headers, query]).includes(callersKey))
  },

  'sends instructions as instructions': async (stage, streamed) => {
    const { upstream } = await ask(stage, { text: 'Hello', system: 'Answer like a pirate.', streamed })
    assert.equal(upstream[0]?.ask?.instructions, 'Answer like a pirate.')
    assert.equal(upstream[0]?.ask?.lastText, 'Hello')
  },

  'runs a whole tool loop': async (stage, streamed) => {
    const { value: first } = await ask(stage, { text: 'Use get_weather, please.', tools: true, streamed })
    assert.deepEqual(
      first.said.calls.map(({ name, input }) => ({ name, input })),
      [{ name: 'get_weather', input: { city: 'city', unit: 'celsius' } }],
    )
    assert.equal(first.said.finish, 'tools')
    const [call] = first.said.calls
    assert.ok(call)
    const { value: second, upstream } = await during(stage, () =>
      first.answer([{ id: call.id, name: call.name, text: 'Sunny, 21 degrees' }]),
    )
    assert.deepEqual(
      upstream[0]?.ask?.results.map(({ name }) => name),
      ['get_weather'],
    )
    assert.match(second.said.text, /get_weather answered: .*Sunny, 21 degrees/)
    assert.equal(second.said.finish, 'stop')
  },

  'runs two tools at once': async (stage, streamed) => {
    const { value: first } = await ask(stage, { text: 'Use get_weather and get_time.', tools: true, streamed })
    assert.deepEqual(first.said.calls.map(({ name }) => name).toSorted(), ['get_time', 'get_weather'])
    const results = first.said.calls.map(({ id, name }) => ({ id, name, text: `result of ${name}` }))
    const { said } = await first.answer(results)
    assert.match(said.text, /get_weather answered: .*result of get_weather/)
    assert.match(said.text, /get_time answered: .*result of get_time/)
  },

  'forces a tool': async (stage, streamed) => {
    const { value, upstream } = await ask(stage, { text: 'Anything', tools: true, forced: 'get_time', streamed })
    assert.deepEqual(upstream[0]?.ask?.choice, { name: 'get_time' })
    assert.deepEqual(
      value.said.calls.map(({ name }) => name),
      ['get_time'],
    )
  },

  'gets an object of its schema': async (stage, streamed) => {
    const { said } = await stage.client.ask({ text: 'Describe a city.', structured: true, streamed })
    assert.deepEqual(JSON.parse(said.text), { name: 'name', population: 7, districts: ['districts'] })
  },

  'shows the model a picture': async (stage, streamed) => {
    const { said } = await stage.client.ask({ text: 'What is this?', image: true, streamed })
    assert.match(said.text, /What is this\? \[image image\/png, \d\d bytes\]/)
  },

  'shows the thinking, and gives its state back in the next turn': async (stage, streamed) => {
    const { value: first, upstream: firstCalls } = await ask(stage, { text: 'Use get_weather.', tools: true, reasoning: true, streamed })
    assert.ok(firstCalls[0]?.ask?.reasoning, 'the provider was not asked to think')
    if (stage.client.showsReasoning) assert.match(first.said.reasoning, /Let me think\. I was asked: Use get_weather\./)
    const [call] = first.said.calls
    assert.ok(call, 'no tool was called')
    const { value: second, upstream } = await during(stage, () => first.answer([{ id: call.id, name: call.name, text: 'Sunny' }]))
    assert.match(second.said.text, /Sunny/)
    // Chat Completions has no sealed state, and between equals nothing is added to what the client sends.
    const forgotten = streamed && stage.client.forgetsReasoning && stage.client.wire === stage.wire
    if (stage.wire !== 'openai-chat' && !forgotten) assert.equal(upstream[0]?.ask?.seals, 1, 'reasoning state that came back')
  },

  'says when the answer was cut at the limit': async (stage, streamed) => {
    const { said } = await stage.client.ask({ text: told({ words: 60, reasoning: false }, 'Go on'), maxTokens: 16, streamed })
    assert.equal(said.finish, 'length')
    assert.ok(said.text.length > 20 && said.text.length <= 64, `${said.text.length} characters`)
  },

  'gets the whole of an answer that the provider paused': async (stage, streamed) => {
    const pauses = stage.wire === 'anthropic-messages' || stage.wire === 'gemini'
    // Messages clients of a Messages provider see the pause as it is.
    if (!pauses || (stage.wire === 'anthropic-messages' && stage.client.wire === stage.wire)) return
    const { value, upstream } = await ask(stage, { text: told({ finish: 'pause' }, 'one two three four five six'), streamed })
    assert.equal(value.said.text, 'You said: one two three four five six')
    assert.equal(value.said.finish, 'stop')
    assert.equal(upstream.length, 2)
  },

  'does not take a filtered answer for a whole one': async (stage, streamed) => {
    const turn = await stage.client.ask({ text: told({ finish: 'filter' }, 'Hi'), streamed }).catch((error: unknown) => error)
    if (!(turn instanceof Error)) assert.notEqual((turn as Turn).said.finish, 'stop')
  },

  'reports an unknown model as 404 that names it': async (stage, streamed) => {
    const { value: error, upstream } = await during(stage, () => failure(stage, { text: 'Hi', model: 'no-such-model', streamed }))
    assert.equal(stage.client.statusOf(error), 404, wordsOf(error))
    assert.match(wordsOf(error), /no-such-model/)
    assert.equal(upstream.length, 0)
  },

  'reports a rate limit as 429': async (stage, streamed) => {
    const text = told({ status: 429, message: 'Slow down, please' }, 'Hi')
    const error = await failure(stage, { text, model: stage.named('echo'), streamed })
    assert.equal(stage.client.statusOf(error), 429, wordsOf(error))
    assert.match(wordsOf(error), /Slow down, please/)
  },

  "reports the provider's 400 in its words": async (stage, streamed) => {
    const error = await failure(stage, { text: told({ status: 400, message: 'I dislike this' }, 'Hi'), streamed })
    assert.equal(stage.client.statusOf(error), 400, wordsOf(error))
    assert.match(wordsOf(error), /I dislike this/)
  },

  'reports a fault of the provider as 502': async (stage, streamed) => {
    const error = await failure(stage, { text: 'Hi', model: stage.named('fail-500'), streamed })
    assert.equal(stage.client.statusOf(error), 502, wordsOf(error))
  },

  'fails when the answer breaks off': async (stage, streamed) => {
    await failure(stage, { text: told({ words: 20, eventMs: 3, fault: 'truncate', after: 5 }, 'Hi'), streamed })
  },
}

const streamedOnly: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'fails when the provider fails in the middle': async (stage) => {
    const heard: string[] = []
    const text = told({ words: 20, eventMs: 3, fault: 'error-mid-stream', after: 5, message: 'I fell over' }, 'Hi')
    const error = await failure(stage, { text, streamed: true, onText: (piece) => heard.push(piece) })
    assert.ok(error instanceof Error, 'no error')
    assert.ok(heard.length > 0, 'nothing was heard before the error')
  },

  'fails when the connection breaks in the middle': async (stage) => {
    await failure(stage, { text: told({ words: 20, eventMs: 3, fault: 'reset', after: 5 }, 'Hi'), streamed: true })
  },

  'stops the provider when it hangs up in the middle': async (stage) => {
    const leaving = new AbortController()
    const text = told({ words: 1000, eventMs: 5 }, 'Hi')
    const { upstream } = await during(stage, async () => {
      await stage.client.ask({ text, streamed: true, signal: leaving.signal, onText: () => leaving.abort() }).catch(() => undefined)
    })
    assert.ok(leaving.signal.aborted, 'nothing was heard')
    await becomesAborted(upstream[0])
  },
}

const plainOnly: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'stops the provider when it hangs up while waiting': async (stage) => {
    const leaving = new AbortController()
    const before = stage.calls.length
    const asking = stage.client
      .ask({ text: told({ firstMs: 5000 }, 'Hi'), streamed: false, signal: leaving.signal })
      .catch((error: unknown) => error)
    await until(() => stage.calls.length > before)
    leaving.abort()
    assert.ok((await asking) instanceof Error)
    await becomesAborted(stage.calls[before])
  },

  'says where a request is wrong': async (stage) => {
    const { malformedPath } = stage.client
    if (malformedPath === undefined) return
    const { value: error, upstream } = await during(stage, () => failure(stage, { text: 'Hi', malformed: true, streamed: false }))
    assert.equal(stage.client.statusOf(error), 400, wordsOf(error))
    assert.ok(wordsOf(error).includes(malformedPath), wordsOf(error))
    assert.ok(upstream.length <= 1)
  },

  'counts tokens': async (stage) => {
    const few = (await stage.client.count?.('Hello')) ?? 1
    const many = (await stage.client.count?.('Hello, this is a longer text than the other one, by far.')) ?? 2
    assert.ok(few > 0 && many > few, `${few} and ${many} tokens`)
  },

  'lists the models': async (stage) => {
    const names = (await stage.client.models?.()) ?? [stage.client.model]
    assert.ok(names.includes(stage.client.model), names.slice(0, 20).join(', '))
  },
}

const becomesAborted = (call: SimulatedCall | undefined): Promise<void> => until(() => call?.ended === 'aborted')

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it did not happen within two seconds')
}

export interface Choice {
  /** Scenarios to leave out, by title. */
  readonly except?: readonly string[]
  readonly only?: readonly string[]
}

/** Registers the scenarios of one pair as tests. */
export function play(title: string, stage: Stage, { except = [], only }: Choice = {}): void {
  const wanted = (name: string) => !except.includes(name) && (only?.includes(name) ?? true)
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (!wanted(name)) continue
    test(`${title}, plain: ${name}`, () => scenario(stage, false))
    test(`${title}, streamed: ${name}`, () => scenario(stage, true))
  }
  for (const [name, scenario] of Object.entries(streamedOnly)) if (wanted(name)) test(`${title}, streamed: ${name}`, () => scenario(stage))
  for (const [name, scenario] of Object.entries(plainOnly)) {
    const possible = (name !== 'counts tokens' || stage.client.count) && (name !== 'lists the models' || stage.client.models)
    if (wanted(name) && possible && (name !== 'says where a request is wrong' || stage.client.malformedPath)) {
      test(`${title}: ${name}`, () => scenario(stage))
    }
  }
}
