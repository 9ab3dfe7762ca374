/** Decides what to say: the same request always gets the same words. */
import { isObject, type Json } from '../../core/json.ts'
import { sampleSchema } from './schema-sample.ts'
import type { Simulation } from './simulation.ts'
import { tokensOf } from './tokens.ts'
import type { Answer, Ask, Piece, SimulatedTool } from './types.ts'

const greeting = 'Hello from the simulator. Say something, and it comes back.'
const refusalText = 'I cannot help with that.'
const vocabulary = 'the quick brown fox jumps over a lazy dog while seven wizards judge my vow and pack five dozen boxes'.split(' ')

export interface Decided {
  readonly pieces: readonly Piece[]
  readonly finish: Answer['finish']
  readonly stopSequence?: string
}

/**
 * @param ask with the `simulate` lines already taken out of `lastText`
 * @param id letters and digits that no other answer has
 * @param sealOf seals a thought in the way of the wire
 */
export function decide(ask: Ask, simulation: Simulation, id: string, sealOf: (thought: string) => string): Decided {
  const pieces: Piece[] = []
  const thought = thoughtOf(ask, simulation)
  if (thought !== undefined) {
    pieces.push({ type: 'reasoning', text: ask.reasoning?.shown === false ? '' : thought, seal: sealOf(thought) })
  }
  if (simulation.finish === 'refusal') return { pieces: [...pieces, { type: 'refusal', text: refusalText }], finish: 'refusal' }

  const calls = callsOf(ask, simulation)
  if (calls.length > 0) {
    if (simulation.text !== undefined) pieces.push({ type: 'text', text: simulation.text })
    for (const [index, { tool, value }] of calls.entries()) {
      const text = tool.freeform ? (typeof value === 'string' ? value : ask.lastText) : JSON.stringify(value)
      pieces.push({ type: 'call', id: `${id}${index}`, name: tool.name, arguments: text, freeform: tool.freeform === true })
    }
    return { pieces, finish: 'calls' }
  }
  const ending = endingOf(textOf(ask, simulation), ask, simulation)
  if (ending.text !== '') pieces.push({ type: 'text', text: ending.text })
  const { finish, stopSequence } = ending
  return { pieces, finish, ...(stopSequence === undefined ? {} : { stopSequence }) }
}

function thoughtOf(ask: Ask, { reasoning }: Simulation): string | undefined {
  if (reasoning === false || (reasoning === undefined && ask.reasoning === undefined)) return undefined
  if (typeof reasoning === 'string') return reasoning
  return ask.results.length > 0 ? 'The tool has answered, so I can answer too.' : `Let me think. I was asked: ${ask.lastText.slice(0, 200)}`
}

interface DecidedCall {
  readonly tool: SimulatedTool
  readonly value: Json
}

/** Calls come when they are forced or asked for by name, and not again once their results are there. */
function callsOf(ask: Ask, { tools: wanted }: Simulation): readonly DecidedCall[] {
  if (ask.choice === 'none' || ask.tools.length === 0 || ask.results.length > 0 || wanted === false) return []
  if (Array.isArray(wanted)) {
    return wanted.filter(isObject).map((call) => {
      const tool = ask.tools.find(({ name }) => name === call['name']) ?? { name: String(call['name']), schema: undefined }
      return { tool, value: call['arguments'] ?? argumentsOf(tool) }
    })
  }
  const chosen = chosenTools(ask, wanted as boolean | string | undefined)
  return (ask.parallel ? chosen : chosen.slice(0, 1)).map((tool) => ({ tool, value: argumentsOf(tool) }))
}

function chosenTools(ask: Ask, wanted: boolean | string | undefined): readonly SimulatedTool[] {
  const { choice, tools } = ask
  if (typeof choice === 'object') return tools.filter(({ name }) => name === choice.name)
  const named = tools.filter(({ name }) => mentions(ask.lastText, name))
  if (wanted === 'all') return tools
  if (typeof wanted === 'string') return tools.filter(({ name }) => name === wanted)
  if (named.length > 0 || (choice === 'auto' && wanted !== true)) return named
  return tools.slice(0, 1)
}

function mentions(text: string, name: string): boolean {
  const at = text.indexOf(name)
  const isWord = (character: string | undefined) => character !== undefined && /[\w-]/.test(character)
  return name !== '' && at >= 0 && !isWord(text[at - 1]) && !isWord(text[at + name.length])
}

function argumentsOf({ schema }: SimulatedTool): Json {
  const value = schema === undefined ? {} : sampleSchema(schema)
  return isObject(value) ? value : {}
}

function textOf(ask: Ask, simulation: Simulation): string {
  if (simulation.text !== undefined) return simulation.text
  if (simulation.words !== undefined) {
    return Array.from({ length: simulation.words }, (_, index) => vocabulary[index % vocabulary.length]).join(' ')
  }
  if (ask.schema !== undefined) return JSON.stringify(ask.schema === true ? { echo: ask.lastText } : sampleSchema(ask.schema))
  if (ask.results.length > 0) {
    return ask.results.map(({ name, text, isError }) => `${name ?? 'The tool'} ${isError ? 'failed' : 'answered'}: ${text}`).join('\n')
  }
  if (ask.lastText === '' && ask.attachments.length === 0) return greeting
  return [`You said: ${ask.lastText}`, ...ask.attachments.map((one) => `[${one}]`)].join(' ')
}

interface Ending {
  readonly text: string
  readonly finish: Answer['finish']
  readonly stopSequence?: string
}

function endingOf(whole: string, ask: Ask, { finish }: Simulation): Ending {
  if (finish === 'filter') return { text: '', finish: 'filter' }
  const half = whole.indexOf(' ', whole.length / 2) + 1 || Math.ceil(whole.length / 2)
  if (finish === 'pause' && !ask.continues) return { text: whole.slice(0, half), finish: 'pause' }
  const text = finish === 'pause' ? whole.slice(half) : whole
  if (finish === 'length') return { text: text.slice(0, half), finish: 'length' }
  const stops = ask.stop.filter((one) => one !== '' && text.includes(one)).toSorted((a, b) => text.indexOf(a) - text.indexOf(b))
  const stopSequence = stops[0]
  const spoken = stopSequence === undefined ? text : text.slice(0, text.indexOf(stopSequence))
  if (ask.maxTokens !== undefined && tokensOf(spoken) > ask.maxTokens) return { text: spoken.slice(0, ask.maxTokens * 4), finish: 'length' }
  return stopSequence === undefined ? { text, finish: 'stop' } : { text: spoken, finish: 'stop-sequence', stopSequence }
}

/** A text in the steps in which it is streamed: words with the space after them. */
export const steps = (text: string): readonly string[] => text.match(/\S+\s*|^\s+/g) ?? (text === '' ? [] : [text])
