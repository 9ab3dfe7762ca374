/**
 * How the simulator is told what to do. Later ones win, member by member: the options' `simulation`, the options' entry
 * for the model, traits in the model's name, and a line `simulate: { … }` in the prompt.
 */
import { isObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'

export const simulatedFaults = {
  status: 'answers with `status` (default 500) and an error body',
  refuse: 'closes the connection before any byte of the answer',
  reset: 'breaks the connection after `after` events, or in the middle of a plain answer',
  stall: 'falls silent after `after` events, or in the middle of a plain answer, and stays so',
  truncate: 'ends the body cleanly after `after` events, or in the middle of a plain answer',
  garbage: 'sends bytes that are no JSON, after `after` events',
  html: 'sends a web page with status 200',
  empty: 'sends an empty body with status 200',
  'error-in-200': 'sends an error body, or an error as first event, with status 200',
  'error-mid-stream': 'sends an error event after `after` events, then ends',
  drip: 'sends the right answer one byte at a time, `eventMs` apart',
  'giant-header': 'sends the right answer under a header of 256 KB',
  endless: 'never stops sending',
  redirect: 'answers with 307 and a location',
} as const

export type SimulatedFault = keyof typeof simulatedFaults

export interface Simulation {
  /** The words of the answer. Default: the last user text comes back. */
  readonly text?: string
  /** An answer of this many words instead. */
  readonly words?: number
  /** Call tools: `true` the named or first one, `all` of them, one by name, or these calls exactly. */
  readonly tools?: boolean | string | readonly { readonly name: string; readonly arguments?: Json }[]
  /** Think first, whether or not the request asks for it; a string is the thought. `false`: never. */
  readonly reasoning?: boolean | string
  /** End otherwise than naturally. `pause`: half the answer, the rest when asked to go on (Anthropic, Gemini). */
  readonly finish?: 'length' | 'filter' | 'refusal' | 'pause'
  /** Milliseconds before the first byte. Default 0. */
  readonly firstMs?: number
  /** Milliseconds before each event that carries output. Default 0. */
  readonly eventMs?: number
  readonly fault?: SimulatedFault
  /** Status of the fault `status`; alone it implies that fault. */
  readonly status?: number
  /** Words of the error. */
  readonly message?: string
  /** Events with output before a fault of the stream. Default 2. */
  readonly after?: number
  /** Seconds the caller is told to wait, written as `retryForm` says: seconds, a date, milliseconds, or in the body (Gemini). */
  readonly retryAfter?: number
  readonly retryForm?: 'seconds' | 'date' | 'ms' | 'body'
  /** The fault strikes this often, then calls like this one succeed. Default: always. */
  readonly times?: number
  /** Leave usage out of the answer. */
  readonly usage?: boolean
}

/** Models by name. Traits combine: `think+tools+slow`. */
export const simulatedTraits: Readonly<Record<string, Simulation>> = {
  echo: {},
  tools: { tools: true },
  think: { reasoning: true },
  long: { words: 400 },
  slow: { firstMs: 1_000, eventMs: 100 },
  length: { finish: 'length' },
  filter: { finish: 'filter' },
  refusal: { finish: 'refusal' },
  pause: { finish: 'pause' },
  ...Object.fromEntries(
    Object.keys(simulatedFaults)
      .filter((fault) => fault !== 'status')
      .map((fault) => [fault, { fault: fault as SimulatedFault }]),
  ),
  drip: { fault: 'drip', eventMs: 5 },
}

/** What a model's name asks for; undefined when no part of it is a trait. A provider's prefix does not matter. */
export function simulationOfModel(model: string): Simulation | undefined {
  const name = model.slice(model.lastIndexOf('/') + 1)
  let merged: Simulation | undefined
  for (const trait of name.split('+')) {
    const found = simulationOfTrait(trait)
    if (found === undefined) return undefined
    merged = { ...merged, ...found }
  }
  return merged
}

function simulationOfTrait(trait: string): Simulation | undefined {
  if (Object.hasOwn(simulatedTraits, trait)) return simulatedTraits[trait]
  const [, kind, digits] = /^(fail|words)-(\d{1,6})$/.exec(trait) ?? []
  if (kind === 'fail')
    return { fault: 'status', status: Number(digits), ...(digits === '429' || digits === '503' ? { retryAfter: 1 } : {}) }
  return kind === 'words' ? { words: Number(digits) } : undefined
}

const line = /^[ \t]*simulate:[ \t]*(\{.*\})[ \t]*$/gm

/** What the lines `simulate: { … }` of a text ask for, and the text without them. */
export function simulationOfText(text: string): { readonly simulation: Simulation; readonly text: string } {
  if (!text.includes('simulate:')) return { simulation: {}, text }
  let simulation: Simulation = {}
  const rest = text.replace(line, (whole, json: string) => {
    const value = parseJson(json)
    if (!isObject(value)) return whole
    simulation = { ...simulation, ...checked(value) }
    return ''
  })
  return { simulation, text: rest.trim() }
}

const kinds: Readonly<Record<keyof Simulation, (value: Json) => boolean>> = {
  text: (value) => typeof value === 'string',
  words: isCount,
  tools: (value) => ['boolean', 'string'].includes(typeof value) || Array.isArray(value),
  reasoning: (value) => ['boolean', 'string'].includes(typeof value),
  finish: (value) => ['length', 'filter', 'refusal', 'pause'].includes(value as string),
  firstMs: isCount,
  eventMs: isCount,
  fault: (value) => typeof value === 'string' && Object.hasOwn(simulatedFaults, value),
  status: (value) => isCount(value) && (value as number) >= 200 && (value as number) <= 599,
  message: (value) => typeof value === 'string',
  after: isCount,
  retryAfter: isCount,
  retryForm: (value) => ['seconds', 'date', 'ms', 'body'].includes(value as string),
  times: isCount,
  usage: (value) => typeof value === 'boolean',
}

function isCount(value: Json): boolean {
  return typeof value === 'number' && value >= 0
}

/** Only members that make sense: a prompt is written by anyone. */
function checked(value: JsonObject): Simulation {
  const good = Object.entries(value).filter(([name, member]) => {
    const fits = Object.hasOwn(kinds, name) ? kinds[name as keyof Simulation] : undefined
    return member !== undefined && fits?.(member) === true
  })
  return Object.fromEntries(good)
}
