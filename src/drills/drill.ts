/**
 * Failover drills: calls through the real routes of a configuration, with faults where the first targets would answer.
 * Every case has a line and a memory of its own, so that no breaker remembers another case, nor the gateway a drill.
 */
import type { Outcome } from '../accounting/outcome.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { assemble } from '../config/assemble.ts'
import {
  type Config,
  type DrillFault,
  drillFaultNames,
  type ProviderConfig,
  type RouteConfig,
  type TimeoutConfig,
  timeoutDefaults,
} from '../config/config.ts'
import type { SecretSources } from '../config/secrets.ts'
import { bytesOf, type HttpReply, type Transport } from '../core/http.ts'
import { newId } from '../core/id.ts'
import { isObject, parseJson } from '../core/json.ts'
import { injecting, strikesMidStream } from './faults.ts'
import { type Got, readAnswer } from './read-answer.ts'
import type { DrillCase, DrilledRoute, DrillReport } from './report.ts'

export interface DrillOptions {
  readonly config: Config
  readonly catalog: Catalog
  /** Default: every route. */
  readonly routes?: readonly string[] | undefined
  /** Default: every fault. */
  readonly faults?: readonly DrillFault[] | undefined
  /** Present: healthy targets are really called, over this, with these credentials. Absent: `simulator` answers for them. */
  readonly live?: { readonly transport: Transport; readonly secrets: SecretSources } | undefined
  readonly simulator: () => Transport
  /** No wait is longer than this; default 1 s, and with `live` as the routes say. Milliseconds. */
  readonly waitMs?: number | undefined
  /** Cases at a time. Default 8. */
  readonly concurrency?: number
}

const ANSWER = 'one two three four five six seven eight nine ten eleven twelve'
const PROMPT = `This is a drill of the gateway. Say: ${ANSWER}`
/** The simulator does as this says, whichever model it is called. */
const SHADOW_PROMPT = `${PROMPT}\nsimulate: ${JSON.stringify({ text: ANSWER })}`
const SHADOW_WAIT_MS = 1_000
const LIVE_TOKENS = 32

export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const startedAt = performance.now()
  const id = newId('drill_')
  const setting: Setting = { ...options, options, id, config: prepared(options), takeTurn: turns(options.concurrency ?? 8) }
  const names = options.routes ?? [...options.config.models.keys()]
  const routes = await Promise.all(names.map((name) => drillRoute(name, setting)))
  const cases = routes.flatMap((route) => route.cases)
  return {
    id,
    at: new Date().toISOString(),
    mode: options.live ? 'live' : 'shadow',
    held: routes.every(({ held }) => held),
    cases: cases.length,
    failed: cases.filter(({ held }) => !held).length,
    ms: Math.round(performance.now() - startedAt),
    routes,
  }
}

type Line = ReturnType<typeof assemble>

interface Setting extends DrillOptions {
  readonly id: string
  /** As they were given. */
  readonly options: DrillOptions
  takeTurn<T>(work: () => Promise<T>): Promise<T>
}

const nameOf = (strategy: RouteConfig['strategy'] | undefined): string => {
  if (strategy === undefined || typeof strategy === 'string') return strategy ?? ''
  return 'score' in strategy ? `score ${strategy.score}` : strategy.name
}

async function drillRoute(name: string, setting: Setting): Promise<DrilledRoute> {
  const route = setting.config.models.get(name)
  const strategy = nameOf(route?.strategy)
  const explained = await explain(name, setting)
  if (!route || 'problem' in explained) {
    const problem = 'problem' in explained ? explained.problem : 'there is no such route'
    return { route: name, strategy, targets: [], held: false, cases: [], notes: [problem] }
  }
  const { targets } = explained
  const notes = [
    ...(targets.length > 1 ? [] : ['one target: there is no failover path']),
    ...patience(setting.options.config, name, targets.length),
  ]
  const wanted: Wanted[] = []
  for (const streamed of [false, true]) {
    wanted.push({ fault: 'none', streamed, broken: 0, expected: 'answer' })
    for (const fault of setting.faults ?? drillFaultNames) {
      const mid = streamed && strikesMidStream(fault)
      const depths = mid ? [1] : depthsOf(targets.length, setting.live !== undefined)
      for (const broken of depths) wanted.push({ fault, streamed, broken, expected: expectedOf(route, broken < targets.length, mid) })
    }
  }
  const cases = await Promise.all(wanted.map((one) => setting.takeTurn(() => drillCase(name, one, setting))))
  return { route: name, strategy, targets, held: cases.every(({ held }) => held), cases, notes }
}

/** What shortened waits do not show: that real ones would use up the call's time before the last target is asked. */
function patience({ models }: Config, route: string, targets: number): string[] {
  const {
    answerMs = timeoutDefaults.answerMs,
    firstTokenMs = timeoutDefaults.firstTokenMs,
    totalMs = timeoutDefaults.totalMs,
  } = models.get(route)?.timeouts ?? {}
  return [
    { what: 'firstToken', ms: firstTokenMs },
    { what: 'answer', ms: answerMs },
  ].flatMap(({ what, ms }) => {
    const reached = Math.ceil(totalMs / ms)
    return reached >= targets
      ? []
      : [
          `with \`timeouts.${what}\` of ${ms / 1000} s and \`total\` of ${totalMs / 1000} s, silent targets leave time for ${reached} of ${targets}`,
        ]
  })
}

/** One broken, all but one, all. Live, all but one would cost without telling more. */
const depthsOf = (count: number, live: boolean): number[] =>
  [...new Set(live ? [1, count] : [1, count - 1, count])].filter((depth) => depth > 0)

function expectedOf({ onBreak }: RouteConfig, anotherIsLeft: boolean, mid: boolean): DrillCase['expected'] {
  if (mid) return onBreak === 'continue' && anotherIsLeft ? 'answer' : 'either'
  return anotherIsLeft ? 'answer' : 'error'
}

type Wanted = Pick<DrillCase, 'fault' | 'streamed' | 'broken' | 'expected'>

async function drillCase(route: string, wanted: Wanted, setting: Setting): Promise<DrillCase> {
  const startedAt = performance.now()
  const { fault, streamed, broken, expected } = wanted
  let outcome: Outcome | undefined
  const line = lineFor(setting, fault === 'none' ? undefined : fault, broken, (settled) => {
    outcome = settled
  })
  const got = await readAnswer(
    await ask(line, '/v1/chat/completions', { model: route, messages: messagesOf(setting), stream: streamed, ...limitOf(setting) }),
  )
  const path = [...new Set(outcome?.attempts.map(({ provider, model }) => `${provider}/${model}`) ?? [])]
  const detail = detailOf(got, expected, fault !== 'none' && streamed && strikesMidStream(fault), setting)
  return {
    ...wanted,
    got: got.kind,
    held: detail === undefined,
    path,
    ms: Math.round(performance.now() - startedAt),
    ...(detail !== undefined && { detail }),
  }
}

/** What is wrong with it; undefined when the path held. */
function detailOf(got: Got, expected: DrillCase['expected'], mid: boolean, { live }: Setting): string | undefined {
  if (got.kind === 'broken') return got.message
  if (got.kind === 'error') return expected === 'answer' ? got.message : undefined
  if (expected === 'error') return 'every target was broken, yet there was an answer'
  // The simulator's words are known, so that a hole shows; a continued answer has others.
  return live || mid || got.text === ANSWER ? undefined : 'the answer has other words than it should'
}

const messagesOf = ({ live }: Setting): object[] => [{ role: 'user', content: live ? PROMPT : SHADOW_PROMPT }]
const limitOf = ({ live }: Setting): object => (live ? { max_tokens: LIVE_TOKENS } : {})

async function explain(model: string, setting: Setting): Promise<{ readonly targets: readonly string[] } | { readonly problem: string }> {
  const reply = await ask(lineFor(setting, undefined, 0), '/v1/route/explain', {
    request: { model, messages: messagesOf(setting), ...limitOf(setting) },
  })
  const json = reply.body instanceof Uint8Array ? parseJson(new TextDecoder().decode(reply.body)) : undefined
  const error = isObject(json) && isObject(json['error']) ? json['error'] : undefined
  if (error || !isObject(json) || !Array.isArray(json['order']))
    return { problem: String(error?.['message'] ?? 'the route cannot be explained') }
  const order = json['order'].filter(isObject).map(({ provider, model: name }) => `${String(provider)}/${String(name)}`)
  return { targets: [...new Set(order)] }
}

const ask = (line: Line, path: string, body: object): Promise<HttpReply> =>
  line.handle({ method: 'POST', path, query: '', headers: { 'content-type': 'application/json' }, body: bytesOf(JSON.stringify(body)) })

function lineFor(setting: Setting, fault: DrillFault | undefined, depth: number, record?: (outcome: Outcome) => void): Line {
  const { config, catalog, live, simulator, id } = setting
  const inner = live?.transport ?? simulator()
  const { of } = injecting(inner, { fault, depth, mark: live && id })
  return assemble({
    config,
    catalog,
    secrets: live?.secrets ?? { env: {} },
    transport: inner,
    simulatorTransport: simulator,
    transportFor: (provider) => of(provider),
    sinks: record ? [{ name: 'drill', record }] : [],
  })
}

/** Without credentials where nobody is called, and with short waits: the path is drilled, not the patience. */
function prepared({ config, live, waitMs = live ? undefined : SHADOW_WAIT_MS }: DrillOptions): Config {
  const shortened = (timeouts: TimeoutConfig): TimeoutConfig =>
    waitMs === undefined
      ? timeouts
      : {
          ...timeouts,
          firstTokenMs: least(timeouts.firstTokenMs, waitMs),
          idleMs: least(timeouts.idleMs, waitMs),
          answerMs: least(timeouts.answerMs, waitMs),
        }
  return {
    ...config,
    providers: live ? config.providers : mapped(config.providers, (provider): ProviderConfig => ({ ...provider, keys: [] })),
    models: mapped(config.models, (route): RouteConfig => ({ ...route, timeouts: shortened(route.timeouts) })),
  }
}

const least = (own: number | undefined, most: number): number => Math.min(own ?? most, most)
const mapped = <T>(map: ReadonlyMap<string, T>, change: (value: T) => T): ReadonlyMap<string, T> =>
  new Map([...map].map(([key, value]) => [key, change(value)]))

/** At most so many at a time. */
function turns(most: number): Setting['takeTurn'] {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      return await work()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}
