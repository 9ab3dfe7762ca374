/** A Portkey config → ours: its tree of targets becomes a route, with a route for each group in it. */
import { arrayOf, isObject, type JsonObject } from '../../core/json.ts'
import { type Draft, finished, type Imported, idOf, newDraft, number, presetOf, providerId, seconds, text } from './imported.ts'
import type { ImportContext } from './litellm.ts'

/** The route that the config becomes. */
const ROUTE = 'main'

export function importPortkey(value: JsonObject, context: ImportContext): Imported {
  const draft = newDraft()
  route(value, ROUTE, '', undefined, draft, context)
  const main = draft.models.get(ROUTE)
  if (main && main.targets.length === 0) draft.models.delete(ROUTE)
  const retries = isObject(value['retry']) ? number(value['retry']['attempts']) : undefined
  const timeout = number(value['request_timeout'])
  const total = timeout === undefined ? undefined : seconds(timeout / 1000)
  const cache = isObject(value['cache']) ? cacheOf(value['cache'], draft) : undefined
  const defaults: JsonObject = {
    ...(retries !== undefined && { retries: { attempts: Math.min(10, retries + 1) } }),
    ...(total !== undefined && { timeouts: { total } }),
  }
  if (isObject(value['retry']))
    for (const key of Object.keys(value['retry']))
      if (key !== 'attempts')
        draft.lost.push({ path: `retry.${key}`, reason: 'what is retried follows from the fault; retry-after is always kept to' })
  return finished(draft, { ...(Object.keys(defaults).length > 0 && { defaults }), ...(cache && { cache }) })
}

const carried = new Set([
  'name',
  'strategy',
  'targets',
  'provider',
  'virtual_key',
  'api_key',
  'custom_host',
  'override_params',
  'weight',
  'retry',
  'request_timeout',
  'cache',
])

/** Puts the targets of a level into the route of this name. */
function route(value: JsonObject, name: string, path: string, inherited: string | undefined, draft: Draft, context: ImportContext): void {
  const overrides = isObject(value['override_params']) ? value['override_params'] : {}
  const model = text(overrides['model']) ?? inherited
  const strategy = isObject(value['strategy']) ? value['strategy'] : {}
  const made: { targets: JsonObject[]; [key: string]: unknown } = { targets: [] }
  draft.models.set(name, made)
  nameLost(value, path, draft)
  const mode = text(strategy['mode']) ?? 'single'
  if (mode === 'loadbalance') made['strategy'] = 'weighted'
  for (const key of Object.keys(strategy))
    if (!['mode', 'conditions', 'default'].includes(key))
      draft.lost.push({ path: at(path, `strategy.${key}`), reason: 'what moves a call on follows from the fault' })
  const given = arrayOf(value['targets']).filter(isObject)
  const members = given.length > 0 ? given : [value]
  const conditions = mode === 'conditional' ? conditionsOf(strategy, path, draft) : undefined
  const chosen = mode === 'single' ? members.slice(0, 1) : conditions ? inOrder(members, conditions, text(strategy['default'])) : members
  chosen.forEach((member, index) => {
    const here = given.length > 0 ? at(path, `targets[${given.indexOf(member)}]`) : path
    const when = conditions?.get(text(member['name']) ?? '')
    const shared = {
      ...(number(member['weight']) !== undefined && { weight: number(member['weight']) }),
      ...(when !== undefined && { when }),
    }
    if (member !== value && Array.isArray(member['targets'])) {
      const inner = freeName(draft, `${name}-${idOf(text(member['name']) ?? String(index + 1))}`)
      route(member, inner, here, model, draft, context)
      if (draft.models.get(inner)?.targets.length === 0) draft.models.delete(inner)
      else made.targets.push({ route: inner, ...shared })
      return
    }
    const target = targetOf(member, here, model, draft, context)
    if (target) made.targets.push({ ...target, ...shared })
  })
}

function targetOf(
  value: JsonObject,
  path: string,
  inherited: string | undefined,
  draft: Draft,
  context: ImportContext,
): JsonObject | undefined {
  nameLost(value, path, draft)
  const slug = (text(value['provider']) ?? text(value['virtual_key']))?.replace(/^@/, '')
  const { model: named, ...body } = isObject(value['override_params']) ? value['override_params'] : {}
  const asked = text(named) ?? inherited
  const [, ahead, model = asked] = /^@([^/]+)\/(.+)$/.exec(asked ?? '') ?? []
  const vendor = slug ?? ahead
  if (vendor === undefined) {
    draft.lost.push({ path, reason: 'names no provider' })
    return undefined
  }
  const own = presetOf(vendor)
  const baseUrl = text(value['custom_host'])
  const preset = context.knows(own) && !(own === 'openai' && baseUrl !== undefined) ? own : 'openai-compatible'
  if (preset === 'openai-compatible' && baseUrl === undefined) {
    draft.lost.push({ path, reason: `no provider here is called ${vendor}, and there is no custom_host` })
    return undefined
  }
  const usual = context.keyVariable(preset)
  if (text(value['api_key']) !== undefined || text(value['virtual_key']) !== undefined)
    draft.lost.push({
      path: at(path, text(value['api_key']) === undefined ? 'virtual_key' : 'api_key'),
      reason: `a credential is not copied: put it into ${usual ?? 'an environment variable'}`,
    })
  const provider = providerId(
    draft,
    preset,
    { baseUrl, keys: usual === undefined ? [] : [`env:${usual}`] },
    preset === 'openai-compatible' ? idOf(vendor) : preset,
  )
  if (model === undefined) {
    draft.lost.push({ path, reason: `takes the caller's model: ask for \`${provider}/…\`, or name one in override_params.model` })
    return undefined
  }
  return { provider, model, ...(Object.keys(body).length > 0 && { body }) }
}

function nameLost(value: JsonObject, path: string, { lost }: Draft): void {
  for (const key of Object.keys(value))
    if (!carried.has(key))
      lost.push({ path: at(path, key), reason: /guardrail|hook/.test(key) ? 'guards are configured under `guards`' : 'has no counterpart' })
  if (path !== '')
    for (const key of ['retry', 'request_timeout', 'cache'])
      if (value[key] !== undefined) lost.push({ path: at(path, key), reason: 'stands for the whole config only' })
}

/** By the name of a target: the condition under which it is taken. */
function conditionsOf(strategy: JsonObject, path: string, { lost }: Draft): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  arrayOf(strategy['conditions']).forEach((condition, index) => {
    if (!isObject(condition)) return
    const then = text(condition['then'])
    const expression = isObject(condition['query']) ? celOf(condition['query']) : undefined
    if (then === undefined || expression === undefined)
      lost.push({ path: at(path, `strategy.conditions[${index}]`), reason: 'cannot be said as a condition' })
    else found.set(then, found.has(then) ? `${found.get(then)} || ${expression}` : expression)
  })
  return found
}

/** Targets with a condition first, the default last. */
function inOrder(
  members: readonly JsonObject[],
  conditions: ReadonlyMap<string, string>,
  fallback: string | undefined,
): readonly JsonObject[] {
  const named = (member: JsonObject): string => text(member['name']) ?? ''
  const conditional = [...conditions.keys()].flatMap((name) => members.filter((member) => named(member) === name))
  return [...conditional, ...members.filter((member) => named(member) === fallback && !conditional.includes(member))]
}

const operators: Readonly<Record<string, string>> = { $eq: '==', $ne: '!=', $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' }

/** `{ "metadata.tier": { "$eq": "paid" } }` → `metadata.tier == "paid"`. Undefined for what cannot be said. */
function celOf(query: JsonObject): string | undefined {
  const parts: (string | undefined)[] = Object.entries(query).map(([key, value]) => {
    if (key === '$and' || key === '$or') {
      const inner = arrayOf(value).map((one) => (isObject(one) ? celOf(one) : undefined))
      return inner.includes(undefined) || inner.length === 0 ? undefined : `(${inner.join(key === '$and' ? ' && ' : ' || ')})`
    }
    const [, name] = /^metadata\.(\w+)$/.exec(key) ?? []
    const subject =
      name !== undefined
        ? `metadata.${name}`
        : key === 'params.model'
          ? 'request.model'
          : key === 'params.stream'
            ? 'request.stream'
            : undefined
    if (subject === undefined) return undefined
    if (!isObject(value)) return `${subject} == ${JSON.stringify(value)}`
    const tests = Object.entries(value).map(([operator, operand]) => {
      if (operator === '$in') return `${subject} in ${JSON.stringify(operand)}`
      if (operator === '$nin') return `!(${subject} in ${JSON.stringify(operand)})`
      if (operator === '$regex') return `${subject}.matches(${JSON.stringify(operand)})`
      return operators[operator] === undefined ? undefined : `${subject} ${operators[operator]} ${JSON.stringify(operand)}`
    })
    return tests.includes(undefined) ? undefined : tests.join(' && ')
  })
  return parts.includes(undefined) || parts.length === 0 ? undefined : parts.join(' && ')
}

function cacheOf(cache: JsonObject, { lost }: Draft): JsonObject {
  const ttl = seconds(number(cache['max_age']))
  for (const key of Object.keys(cache))
    if (key !== 'mode' && key !== 'max_age') lost.push({ path: `cache.${key}`, reason: 'has no counterpart' })
  return { [cache['mode'] === 'semantic' ? 'semantic' : 'exact']: { enabled: true, ...(ttl !== undefined && { ttl }) } }
}

function freeName({ models }: Draft, name: string): string {
  for (let number = 1; ; number++) {
    const free = number === 1 ? name : `${name}-${number}`
    if (!models.has(free)) return free
  }
}

const at = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
