/** Portkey's `x-portkey-config`: a tree of targets with a strategy. Credentials in it are never used. */
import { invalid } from '../../core/error.ts'
import { isFilled, isNumber, isObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { SteeringGroup, SteeringTarget } from '../../core/steering.ts'

export interface PortkeyConfig {
  readonly group?: SteeringGroup
  readonly timeoutMs?: number
}

type Ignored = { path: string; reason: string }[]

const MAX_DEPTH = 8
const MAX_TARGETS = 32
const MAX_ATTEMPTS = 6
const HEADER = 'x-portkey-config'

/** `model` is what the body asks for: targets without a model of their own take it. */
export function portkeyConfig(text: string, model: string | undefined, ignored: Ignored): PortkeyConfig | undefined {
  if (!text.trim().startsWith('{')) {
    ignored.push({ path: HEADER, reason: 'stored configs are not here: send the config itself' })
    return undefined
  }
  const value = parseJson(text)
  if (!isObject(value)) throw invalid(`\`${HEADER}\` is not valid JSON.`, HEADER)
  return readPortkey(value, model, ignored)
}

export function readPortkey(value: JsonObject, model: string | undefined, ignored: Ignored): PortkeyConfig {
  const own = memberOf(value, HEADER, { model, attempts: undefined }, ignored, 0)
  if (own && targetsIn(own) > MAX_TARGETS) throw invalid(`\`${HEADER}\` has more than ${MAX_TARGETS} targets.`, HEADER)
  const timeout = value['request_timeout']
  const group: SteeringGroup | undefined = own && ('members' in own ? own : { mode: 'single', members: [own], weight: 1 })
  return { ...(group && { group }), ...(isNumber(timeout) && timeout > 0 && { timeoutMs: timeout }) }
}

const targetsIn = (member: SteeringGroup | SteeringTarget): number =>
  'members' in member ? member.members.reduce((sum, one) => sum + targetsIn(one), 0) : 1

interface Inherited {
  readonly model: string | undefined
  readonly attempts: number | undefined
}

function memberOf(
  value: JsonObject,
  path: string,
  above: Inherited,
  ignored: Ignored,
  depth: number,
): SteeringGroup | SteeringTarget | undefined {
  for (const key of Object.keys(value)) {
    const reason = notCarried(key)
    if (reason) ignored.push({ path: `${path}.${key}`, reason })
  }
  const overrides = isObject(value['override_params']) ? value['override_params'] : {}
  // How it is answered is the request's own business.
  const { model: named, stream: _, ...body } = overrides
  const inherited = { model: isFilled(named) ? named : above.model, attempts: attemptsOf(value['retry']) ?? above.attempts }
  const weight = isNumber(value['weight']) && value['weight'] >= 0 ? value['weight'] : 1
  const targets = value['targets']
  if (!Array.isArray(targets)) return targetOf(value, path, inherited, body, weight)
  if (depth >= MAX_DEPTH) throw invalid(`\`${path}\`: targets are nested more than ${MAX_DEPTH} levels deep.`, HEADER)
  const members = targets.flatMap((target, index) => {
    const member = isObject(target) ? memberOf(target, `${path}.targets[${index}]`, inherited, ignored, depth + 1) : undefined
    return member ?? []
  })
  return members.length === 0 ? undefined : { mode: modeOf(value['strategy'], path, ignored), members, weight }
}

function targetOf(
  value: JsonObject,
  path: string,
  { model, attempts }: Inherited,
  body: JsonObject,
  weight: number,
): SteeringTarget | undefined {
  const slug = isFilled(value['provider']) ? value['provider'] : isFilled(value['virtual_key']) ? value['virtual_key'] : undefined
  const provider = slug?.replace(/^@/, '')
  if (
    model === undefined ||
    (provider === undefined && weight === 1 && Object.keys(body).length === 0 && !isObject(value['override_params']))
  )
    return undefined
  // `@provider/model` names both.
  const name = model.startsWith('@') ? model.slice(1) : model
  return {
    ...(provider !== undefined && { provider }),
    name,
    path,
    weight,
    ...(Object.keys(body).length > 0 && { body }),
    ...(attempts !== undefined && { attempts }),
  }
}

function modeOf(strategy: unknown, path: string, ignored: Ignored): SteeringGroup['mode'] {
  const mode = isObject(strategy) ? strategy['mode'] : undefined
  if (mode === 'loadbalance' || mode === 'fallback' || mode === 'single') return mode
  if (mode !== undefined) ignored.push({ path: `${path}.strategy.mode`, reason: `${String(mode)}: the targets are tried in order` })
  return mode === undefined ? 'single' : 'fallback'
}

function attemptsOf(retry: unknown): number | undefined {
  const retries = isObject(retry) ? retry['attempts'] : undefined
  return isNumber(retries) && retries >= 0 ? Math.min(1 + Math.floor(retries), MAX_ATTEMPTS) : undefined
}

const carried = new Set(['strategy', 'targets', 'provider', 'virtual_key', 'override_params', 'weight', 'retry', 'request_timeout', 'name'])

function notCarried(key: string): string | undefined {
  if (carried.has(key)) return undefined
  return /key|token|secret|authorization/i.test(key) ? 'credentials of a request are never used' : 'has no counterpart here'
}
