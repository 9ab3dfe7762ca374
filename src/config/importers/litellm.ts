/** LiteLLM's `config.yaml` → ours. Each `model_name` becomes a route, each deployment a target; the rest is carried or named. */
import { arrayOf, isObject, type JsonObject } from '../../core/json.ts'
import { type Draft, finished, type Imported, idOf, newDraft, number, presetOf, providerId, seconds, text } from './imported.ts'

export interface ImportContext {
  /** Whether the catalogue (or a generic preset) knows this provider. */
  knows(preset: string): boolean
  /** Where the catalogue has the provider's usual key. */
  keyVariable(preset: string): string | undefined
}

const strategies: Readonly<Record<string, string>> = {
  'simple-shuffle': 'weighted',
  'least-busy': 'least-busy',
  'latency-based-routing': 'least-latency',
  'cost-based-routing': 'cheapest',
  'usage-based-routing': 'adaptive',
  'usage-based-routing-v2': 'adaptive',
}

export function importLitellm(value: JsonObject, context: ImportContext): Imported {
  const draft = newDraft()
  const router = section(value, 'router_settings')
  const settings = section(value, 'litellm_settings')
  const general = section(value, 'general_settings')
  for (const [index, entry] of arrayOf(value['model_list']).entries()) deployment(entry, `model_list[${index}]`, draft, context)

  const named = text(router['routing_strategy'])
  const strategy = named === undefined ? 'weighted' : strategies[named]
  if (named !== undefined && strategy === undefined)
    draft.lost.push({ path: 'router_settings.routing_strategy', reason: `${named} has no counterpart: priority is used` })
  for (const route of draft.models.values()) {
    const places = route.targets.map(({ order }) => number(order))
    if (places.some((place) => place !== undefined))
      route.targets.sort(
        (one, other) => (number(one['order']) ?? Number.MAX_SAFE_INTEGER) - (number(other['order']) ?? Number.MAX_SAFE_INTEGER),
      )
    else if (strategy !== undefined && route.targets.length > 1) route['strategy'] = strategy
    for (const target of route.targets) delete (target as Record<string, unknown>)['order']
  }
  aliases(router, draft)
  for (const [where, from] of [
    ['router_settings', router],
    ['litellm_settings', settings],
  ] as const)
    fallbacks(from, where, draft)

  const retries = number(router['num_retries'] ?? settings['num_retries'])
  const total = seconds(number(router['timeout'] ?? settings['request_timeout']))
  const defaults: JsonObject = {
    ...(retries !== undefined && { retries: { attempts: Math.min(10, Math.max(1, retries + 1)) } }),
    ...(total !== undefined && { timeouts: { total } }),
  }
  const master = reference(general['master_key'])
  if (text(general['master_key']) && master === undefined)
    draft.lost.push({ path: 'general_settings.master_key', reason: 'a credential is not copied: set SIGNALBOX_ADMIN_KEY' })
  const cache = settings['cache'] === true ? cacheOf(settings, draft) : undefined
  const mcp = servers(value['mcp_servers'], draft)
  name(value, router, settings, general, draft)
  return finished(draft, {
    ...(Object.keys(defaults).length > 0 && { defaults }),
    ...(master !== undefined && { admin: { key: master } }),
    ...(cache && { cache }),
    ...(mcp && { mcp }),
  })
}

const section = (value: JsonObject, key: string): JsonObject => (isObject(value[key]) ? value[key] : {})

/** `os.environ/NAME` → `env:NAME`. Plain text is not copied. */
function reference(value: unknown): string | undefined {
  const [, variable] = /^os\.environ\/(\w+)$/.exec(text(value) ?? '') ?? []
  return variable === undefined ? undefined : `env:${variable}`
}

/** `os.environ/NAME` in an address becomes `${NAME}`. */
const address = (value: unknown): string | undefined =>
  text(value)?.replace(/^os\.environ\/(\w+)$/, (_, variable: string) => `\${${variable}}`)

const carried = new Set([
  'model',
  'api_key',
  'api_base',
  'base_url',
  'weight',
  'order',
  'timeout',
  'stream_timeout',
  'tags',
  'input_cost_per_token',
  'output_cost_per_token',
  'custom_llm_provider',
])
/** Parameters of calls, which become fields of the body. */
const fields = new Set([
  'temperature',
  'max_tokens',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'reasoning_effort',
  'user',
])

function deployment(entry: unknown, path: string, draft: Draft, context: ImportContext): void {
  if (!isObject(entry)) return
  const route = text(entry['model_name'])
  const params = section(entry, 'litellm_params')
  const info = section(entry, 'model_info')
  const full = text(params['model'])
  if (route === undefined || full === undefined)
    return void draft.lost.push({ path, reason: 'has no model_name or no litellm_params.model' })
  const mode = text(info['mode'])
  if (mode !== undefined && mode !== 'chat' && mode !== 'completion' && mode !== 'responses')
    return void draft.lost.push({ path, reason: `routes serve chat: ${mode} is reached as provider/model where the provider has it` })
  const slash = full.indexOf('/')
  const vendor = text(params['custom_llm_provider']) ?? (slash > 0 ? full.slice(0, slash) : 'openai')
  const model = slash > 0 && text(params['custom_llm_provider']) === undefined ? full.slice(slash + 1) : full
  const provider = providerFor(vendor, params, path, draft, context)
  if (provider === undefined) return
  if (model.includes('*') || route.includes('*'))
    return void draft.lost.push({ path, reason: `no route is needed: every model answers as \`${provider}/…\`` })
  const price = priceOf(params)
  const body = Object.fromEntries(Object.entries(params).filter(([key]) => fields.has(key)))
  const tags = arrayOf(params['tags']).filter((tag) => typeof tag === 'string')
  for (const key of Object.keys(params))
    if (!carried.has(key) && !fields.has(key)) draft.lost.push({ path: `${path}.litellm_params.${key}`, reason: reasonFor(key) })
  for (const key of Object.keys(info))
    if (key !== 'mode' && key !== 'id') draft.lost.push({ path: `${path}.model_info.${key}`, reason: 'the catalogue knows the model' })
  const target: JsonObject = {
    provider,
    model,
    ...(number(params['weight']) !== undefined && { weight: number(params['weight']) }),
    ...(number(params['order']) !== undefined && { order: number(params['order']) }),
    ...(price && { price }),
    ...(Object.keys(body).length > 0 && { body }),
    ...(tags.length > 0 && { when: tags.map((tag) => `${JSON.stringify(tag)} in tags`).join(' || ') }),
  }
  const made = draft.models.get(route) ?? { targets: [] }
  made.targets.push(target)
  const answer = seconds(number(params['timeout']))
  const firstToken = seconds(number(params['stream_timeout']))
  if (answer !== undefined || firstToken !== undefined)
    made['timeouts'] = { ...(answer !== undefined && { answer }), ...(firstToken !== undefined && { firstToken }) }
  draft.models.set(route, made)
}

function providerFor(vendor: string, params: JsonObject, path: string, draft: Draft, context: ImportContext): string | undefined {
  const base = address(params['api_base'] ?? params['base_url'])
  const own = presetOf(vendor)
  const compatible = vendor === 'openai' && base !== undefined && !/^https:\/\/api\.openai\.com/.test(base)
  const preset = compatible || !context.knows(own) ? 'openai-compatible' : own
  if (preset === 'openai-compatible' && base === undefined) {
    draft.lost.push({ path: `${path}.litellm_params.model`, reason: `no provider here is called ${vendor}, and there is no api_base` })
    return undefined
  }
  const key = reference(params['api_key'])
  const usual = context.keyVariable(preset)
  if (text(params['api_key']) !== undefined && key === undefined)
    draft.lost.push({
      path: `${path}.litellm_params.api_key`,
      reason: `a credential is not copied: put it into ${usual ?? 'an environment variable'}`,
    })
  const keys = key !== undefined ? [key] : usual !== undefined ? [`env:${usual}`] : []
  const name = preset === 'openai-compatible' ? idOf(vendor === 'openai' ? hostOf(base) : vendor) : preset
  return providerId(draft, preset, { baseUrl: base, keys }, name)
}

/** The first word of a host's name; numbers are no name. */
function hostOf(base: string | undefined): string {
  const host = base !== undefined && URL.canParse(base) ? new URL(base).hostname : ''
  const [first = ''] = host.split('.')
  return /[a-z]/i.test(first) ? first : 'openai-compatible'
}

function priceOf(params: JsonObject): JsonObject | undefined {
  const perMillion = (key: string): number | undefined => {
    const perToken = number(params[key])
    return perToken === undefined ? undefined : Math.round(perToken * 1e12) / 1e6
  }
  const input = perMillion('input_cost_per_token')
  const output = perMillion('output_cost_per_token')
  return input === undefined && output === undefined
    ? undefined
    : { ...(input !== undefined && { input }), ...(output !== undefined && { output }) }
}

function reasonFor(key: string): string {
  if (/^(rpm|tpm|max_parallel_requests)$/.test(key)) return 'limits are learnt from the provider'
  if (/key|token|secret|credential|password/i.test(key)) return 'a credential is not copied'
  return 'has no counterpart'
}

/** Another name for a route is a route with that one as its only group. */
function aliases(router: JsonObject, { models, lost }: Draft): void {
  for (const [alias, target] of Object.entries(section(router, 'model_group_alias'))) {
    const route = text(target) ?? (isObject(target) ? text(target['model']) : undefined)
    if (route !== undefined && models.has(route) && !models.has(alias)) models.set(alias, { targets: [{ route }] })
    else lost.push({ path: `router_settings.model_group_alias.${alias}`, reason: 'names no route' })
  }
}

function fallbacks(settings: JsonObject, where: string, { models, lost }: Draft): void {
  const add = (route: string, behind: readonly unknown[], path: string): void => {
    const made = models.get(route)
    for (const next of behind) {
      const known = text(next)
      if (!made || known === undefined || !models.has(known))
        lost.push({ path, reason: `${route} → ${String(next)}: a fallback leads from route to route` })
      else if (known !== route) made['fallback'] = [...new Set([...((made['fallback'] as string[] | undefined) ?? []), known])]
    }
  }
  for (const key of ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'])
    arrayOf(settings[key]).forEach((entry, index) => {
      if (!isObject(entry)) return
      for (const [route, behind] of Object.entries(entry)) {
        add(route, arrayOf(behind), `${where}.${key}[${index}]`)
        const made = models.get(route)
        if (made && key === 'content_policy_fallbacks') made['onPolicy'] = 'next'
      }
    })
  const always = arrayOf(settings['default_fallbacks'])
  if (always.length > 0) for (const route of models.keys()) if (!always.includes(route)) add(route, always, `${where}.default_fallbacks`)
}

function cacheOf(settings: JsonObject, { lost }: Draft): JsonObject {
  const params = section(settings, 'cache_params')
  const type = text(params['type'])
  const ttl = seconds(number(params['ttl']))
  for (const key of Object.keys(params))
    if (key !== 'type' && key !== 'ttl')
      lost.push({ path: `litellm_settings.cache_params.${key}`, reason: 'set `shared.url` for a shared cache' })
  const kind = type?.includes('semantic') ? 'semantic' : 'exact'
  return { [kind]: { enabled: true, ...(ttl !== undefined && { ttl }) } }
}

function servers(value: unknown, { lost }: Draft): JsonObject | undefined {
  if (!isObject(value)) return undefined
  const made: Record<string, JsonObject> = {}
  for (const [id, server] of Object.entries(value)) {
    if (!isObject(server)) continue
    const url = text(server['url'])
    const command = text(server['command'])
    if (url === undefined && command === undefined) {
      lost.push({ path: `mcp_servers.${id}`, reason: 'has neither url nor command' })
      continue
    }
    made[id] = url !== undefined ? { url } : { command: command ?? '', args: arrayOf(server['args']).map(String) }
    for (const key of Object.keys(server))
      if (!['url', 'command', 'args', 'transport', 'description'].includes(key))
        lost.push({ path: `mcp_servers.${id}.${key}`, reason: reasonFor(key) })
  }
  return Object.keys(made).length > 0 ? { servers: made } : undefined
}

const readRouter = new Set([
  'routing_strategy',
  'num_retries',
  'timeout',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'default_fallbacks',
  'model_group_alias',
])
const readSettings = new Set([
  'num_retries',
  'request_timeout',
  'cache',
  'cache_params',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'default_fallbacks',
  'drop_params',
])

/** Whatever else stands there is named. */
function name(value: JsonObject, router: JsonObject, settings: JsonObject, general: JsonObject, { lost }: Draft): void {
  for (const key of Object.keys(value))
    if (!['model_list', 'router_settings', 'litellm_settings', 'general_settings', 'mcp_servers'].includes(key))
      lost.push({ path: key, reason: 'has no counterpart that can be made of it' })
  for (const key of Object.keys(router))
    if (!readRouter.has(key))
      lost.push({
        path: `router_settings.${key}`,
        reason: key.startsWith('redis') ? 'set `shared.url`' : /fails|cooldown/.test(key) ? 'breakers are built in' : 'has no counterpart',
      })
  for (const key of Object.keys(settings))
    if (!readSettings.has(key)) lost.push({ path: `litellm_settings.${key}`, reason: 'has no counterpart' })
  for (const key of Object.keys(general))
    if (key !== 'master_key')
      lost.push({
        path: `general_settings.${key}`,
        reason: key === 'database_url' ? 'set `store.url`; keys and spend are not copied' : 'has no counterpart',
      })
}
