/** What the caller asks of the gateway itself: `x-signalbox-*` headers, or a `signalbox` object in the body. The header wins. */

import { invalid } from '../core/error.ts'
import { isObject, type JsonObject, wordOf } from '../core/json.ts'
import { type Nanos, nanosOf } from '../core/money.ts'
import { parseDuration } from '../core/units.ts'

export interface Controls {
  readonly require?: string
  readonly prefer?: string
  readonly maxCost?: Nanos
  readonly maxLatencyMs?: number
  readonly timeoutMs?: number
  readonly region?: string
  readonly cache?: string
  readonly session?: string
  readonly metadata?: JsonObject
  readonly device?: string
  /** A loss in translation is an error. */
  readonly strict?: boolean
  readonly restart?: boolean
  /** Put the cost into the body even where that changes the provider's bytes. */
  readonly inlineCost?: boolean
}

const none: Controls = {}

const headerOf = {
  require: 'require',
  prefer: 'prefer',
  maxCost: 'max-cost',
  maxLatency: 'max-latency',
  timeout: 'timeout',
  region: 'region',
  cache: 'cache',
  session: 'session',
  metadata: 'metadata',
  device: 'device',
  strict: 'strict',
  restart: 'restart',
  inlineCost: 'inline-cost',
} as const
type ControlName = keyof typeof headerOf

export function readControls(headers: Readonly<Record<string, string>>, body: unknown): Controls {
  let values: Map<ControlName, { value: unknown; path: string }> | undefined
  const put = (name: ControlName, value: unknown, path: string): void => {
    values ??= new Map()
    values.set(name, { value, path })
  }
  if (body !== undefined && body !== null) {
    if (!isObject(body)) throw invalid('`signalbox` must be an object.', 'signalbox')
    for (const [name, value] of Object.entries(body)) {
      if (!Object.hasOwn(headerOf, name))
        throw invalid(`\`signalbox.${name}\` is not a request control. Known: ${Object.keys(headerOf).join(', ')}.`, `signalbox.${name}`)
      if (value !== null && value !== undefined) put(name as ControlName, value, `signalbox.${name}`)
    }
  }
  for (const name in headers) {
    if (!name.startsWith('x-signalbox-')) continue
    const control = (Object.keys(headerOf) as ControlName[]).find((one) => headerOf[one] === name.slice(12))
    if (control) put(control, headers[name], name)
  }
  return values ? controlsOf(values) : none
}

function controlsOf(values: ReadonlyMap<ControlName, { value: unknown; path: string }>): Controls {
  const read = <T>(name: ControlName, reader: (value: unknown) => T | undefined, expected: string): T | undefined => {
    const given = values.get(name)
    if (!given) return undefined
    const value = reader(given.value)
    if (value === undefined) throw invalid(`\`${given.path}\` must be ${expected}.`, given.path)
    return value
  }
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
  const flag = (value: unknown): boolean | undefined =>
    value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined
  const duration = (value: unknown): number | undefined => (typeof value === 'string' ? parseDuration(value) || undefined : undefined)
  return {
    require: read('require', text, 'a list of requirements, such as `context>=128k, json_schema`'),
    prefer: read('prefer', text, 'a list of weights, such as `cost;q=0.8, latency;q=0.2`'),
    maxCost: read('maxCost', (value) => nanosOf(wordOf(value)), 'a decimal amount in USD, such as `0.05`'),
    maxLatencyMs: read('maxLatency', duration, 'a duration above zero with a unit, such as `800ms`'),
    timeoutMs: read('timeout', duration, 'a duration above zero with a unit, such as `30s`'),
    region: read('region', text, 'a region name'),
    cache: read('cache', text, 'a cache wish, such as `off` or `refresh`'),
    session: read('session', text, 'a session id'),
    metadata: read('metadata', metadataOf, 'a JSON object'),
    device: read('device', text, 'device hints'),
    strict: read('strict', flag, '`true` or `false`'),
    restart: read('restart', (value) => (value === 'accept' || value === true ? true : undefined), '`accept`'),
    inlineCost: read('inlineCost', flag, '`true` or `false`'),
  }
}

function metadataOf(value: unknown): JsonObject | undefined {
  if (isObject(value)) return value
  if (typeof value !== 'string') return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
