/** What no key tells by itself: names that must exist, references that must lead somewhere, settings that contradict. */
import { accessProblems } from './access.ts'
import { checkReconcile } from './check-reconcile.ts'
import { checkRouting } from './check-routing.ts'
import { type Found, found } from './explain.ts'
import { genericPresets, isLoopback, providerIdPattern } from './known.ts'
import type { ParseContext } from './parse.ts'
import type { PoolCatalog } from './pool-targets.ts'
import type { ConfigOutput } from './schema.ts'
import { expandVariables, resolveSecret } from './secrets.ts'
import { closest, didYouMean } from './suggest.ts'

/** What must be known of the catalogue to check a configuration. */
export interface KnownProvider {
  readonly id: string
  readonly env?: readonly string[]
  readonly baseUrl?: string
  readonly local?: boolean
  readonly limitation?: string
  readonly generic?: boolean
}
export interface KnownProviders {
  /** By id or alias. */
  provider(id: string): KnownProvider | undefined
  providers(): readonly KnownProvider[]
  /** Absent: pools are not checked. */
  models?: PoolCatalog['models']
}

type Provider = ConfigOutput['providers'][string]

export function crossCheck(input: ConfigOutput, context: ParseContext): Found[] {
  return [
    ...checkAccess(input, context),
    ...checkProviders(input, context),
    ...checkModels(input),
    ...checkRouting(input, context),
    ...checkBudgets(input),
    ...checkDrills(input),
    ...checkReconcile(input.reconcile, input.providers),
  ]
}

function checkAccess({ server, access, admin, secrets }: ConfigOutput, { overrides, embedded }: ParseContext): Found[] {
  const problems: Found[] = []
  const host = overrides?.host ?? server.host
  if (access.mode === 'open' && !embedded && !isLoopback(host))
    problems.push(
      found(
        ['access', 'mode'],
        `\`open\` is refused on ${host}: anyone who reaches it could spend your money`,
        'use `mode: keys`, or listen on 127.0.0.1',
      ),
    )
  if (access.mode === 'keys' && embedded)
    problems.push(
      found(['access', 'mode'], '`keys` needs a server: an embedded gateway has one caller, the program it is in', 'leave it out'),
    )
  const key = resolveSecret(admin.key, { env: {}, allowPlaintext: secrets.allowPlaintext })
  if ('fault' in key && key.fault === 'malformed') problems.push(found(['admin', 'key'], key.message, key.remedy))
  for (const { path, message } of accessProblems(access)) {
    const [what = '', remedy] = message.split('\n')
    problems.push(found([...path], what, remedy))
  }
  return problems
}

function checkDrills({ drills, models, secrets }: ConfigOutput): Found[] {
  const problems: Found[] = []
  const routes = Object.keys(models)
  drills?.routes?.forEach((name, index) => {
    if (!routes.includes(name))
      problems.push(
        found(['drills', 'routes', index], `there is no route \`${name}\``, didYouMean(name, routes) ?? 'name a route of `models`'),
      )
  })
  if (drills?.webhook?.secret !== undefined) {
    const secret = resolveSecret(drills.webhook.secret, { env: {}, allowPlaintext: secrets.allowPlaintext })
    if ('fault' in secret && secret.fault === 'malformed')
      problems.push(found(['drills', 'webhook', 'secret'], secret.message, secret.remedy))
  }
  return problems
}

function checkProviders(input: ConfigOutput, context: ParseContext): Found[] {
  const problems: Found[] = []
  for (const [id, provider] of Object.entries(input.providers)) {
    const at = (...keys: readonly PropertyKey[]): PropertyKey[] => ['providers', id, ...keys]
    if (!providerIdPattern.test(id)) {
      problems.push(
        found(
          at(),
          `\`${id}\` cannot be a provider's id`,
          'use lower-case letters, digits, dots, dashes and underscores, a letter or digit first',
        ),
      )
      continue
    }
    const preset = provider.preset ?? id
    const generic = Object.hasOwn(genericPresets, preset) ? genericPresets[preset] : undefined
    if (generic) {
      if (generic.needsBaseUrl && provider.baseUrl === undefined)
        problems.push(
          found(
            at('baseUrl'),
            `is missing: \`${preset}\` has no address of its own`,
            'add `baseUrl`: what precedes `/chat/completions`, version included',
          ),
        )
      if (provider.wire && !generic.wires.includes(provider.wire))
        problems.push(found(at('wire'), `\`${preset}\` does not speak ${provider.wire}`, `it speaks ${generic.wires.join(', ')}`))
    } else {
      const catalog = context.catalog?.()
      if (catalog) problems.push(...checkCatalogued(provider, preset, catalog, context, at))
    }
    problems.push(...checkBaseUrl(provider, context, at), ...checkKeys(provider, input, context, at))
  }
  return problems
}

type At = (...keys: readonly PropertyKey[]) => PropertyKey[]

function checkCatalogued(provider: Provider, preset: string, catalog: KnownProviders, { env = {} }: ParseContext, at: At): Found[] {
  const known = catalog.provider(preset)
  const where = provider.preset === undefined ? at() : at('preset')
  if (!known) {
    const near = didYouMean(preset, [...Object.keys(genericPresets), ...catalog.providers().map(({ id }) => id)])
    const remedy =
      near ?? 'for a provider of your own set `preset: openai-compatible` and `baseUrl`; `signalbox models` lists the catalogue'
    return [found(where, `the catalogue has no provider \`${preset}\``, remedy)]
  }
  const problems: Found[] = []
  if (known.baseUrl === undefined && provider.baseUrl === undefined)
    problems.push(found(at('baseUrl'), `is missing: the catalogue does not know the address of \`${preset}\``, 'add `baseUrl`'))
  if (provider.baseUrl === undefined)
    for (const name of expandVariables(known.baseUrl ?? '', env).missing)
      problems.push(
        found(at(), `the environment variable ${name} is not set: the address of \`${preset}\` needs it`, 'set it, or write `baseUrl`'),
      )
  if (provider.keys.length === 0 && !known.local && !isLoopbackUrl(provider.baseUrl))
    problems.push(found(at('keys'), 'is missing: this provider needs a key', `add \`keys: ["env:${usualKey(known)}"]\``))
  return problems
}

/** The variable that the vendor's own tools read the key from. */
const usualKey = ({ env = [] }: KnownProvider): string =>
  env.find((name) => name.endsWith('_API_KEY')) ?? env.find((name) => /KEY|TOKEN/.test(name)) ?? 'NAME'

function checkBaseUrl({ baseUrl }: Provider, { env = {} }: ParseContext, at: At): Found[] {
  if (baseUrl === undefined) return []
  const { text, missing } = expandVariables(baseUrl, env)
  if (missing.length > 0)
    return missing.map((name) => found(at('baseUrl'), `the environment variable ${name} is not set`, `export ${name}=… before starting`))
  if (!URL.canParse(text)) return [found(at('baseUrl'), `${JSON.stringify(text)} is not a URL`, 'write `https://host/v1`')]
  const { username, search, hash, protocol } = new URL(text)
  if (protocol !== 'http:' && protocol !== 'https:')
    return [found(at('baseUrl'), `${protocol} is not served`, 'write an http or https URL')]
  if (username !== '') return [found(at('baseUrl'), 'holds a credential', 'put it into `keys` or `headers`')]
  if (search !== '' || hash !== '') return [found(at('baseUrl'), 'has a query or fragment', 'leave them out: paths are put behind it')]
  return []
}

function checkKeys({ keys }: Provider, input: ConfigOutput, { env = {}, readFile, embedded }: ParseContext, at: At): Found[] {
  const problems: Found[] = []
  keys.forEach((reference, index) => {
    if (reference.startsWith('file:') && !readFile) return
    const secret = resolveSecret(reference, { env, readFile, allowPlaintext: input.secrets.allowPlaintext })
    // What has to be asked for is read when the server starts.
    if (!('fault' in secret) || (secret.fault === 'later' && !embedded)) return
    problems.push(found(at('keys', index), secret.message, secret.remedy))
  })
  return problems
}

const isLoopbackUrl = (url: string | undefined): boolean => url !== undefined && URL.canParse(url) && isLoopback(new URL(url).hostname)

function checkModels({ models, providers }: ConfigOutput): Found[] {
  const problems: Found[] = []
  for (const [name, route] of Object.entries(models)) {
    if (name === '' || name.length > 200) problems.push(found(['models', name], 'cannot be the name of a route', 'use 1 to 200 characters'))
    route.targets.forEach(({ provider, wire }, index) => {
      if (provider === undefined) return
      const keys = ['models', name, 'targets', index]
      if (!Object.hasOwn(providers, provider)) {
        const near = closest(provider, Object.keys(providers))
        problems.push(
          found(
            [...keys, 'provider'],
            `there is no provider \`${provider}\``,
            near ? `did you mean \`${near}\`?` : `add it under \`providers:\``,
          ),
        )
        return
      }
      const preset = providers[provider]?.preset ?? provider
      const generic = Object.hasOwn(genericPresets, preset) ? genericPresets[preset] : undefined
      if (wire && generic && !generic.wires.includes(wire))
        problems.push(found([...keys, 'wire'], `\`${preset}\` does not speak ${wire}`, `it speaks ${generic.wires.join(', ')}`))
    })
    if (route.strategy === 'weighted' && route.targets.length > 0 && route.targets.every(({ weight }) => weight === 0))
      problems.push(found(['models', name, 'targets'], 'every weight is 0', 'give one target a weight'))
    route.fallback.forEach((other, index) => {
      if (Object.hasOwn(models, other)) return
      const near = closest(other, Object.keys(models))
      problems.push(
        found(
          ['models', name, 'fallback', index],
          `there is no route \`${other}\``,
          near ? `did you mean \`${near}\`?` : 'a fallback names another route of `models:`',
        ),
      )
    })
  }
  return [...problems, ...fallbackCycles(models)]
}

/** Each cycle once, told at the route where it closes. */
function fallbackCycles(models: ConfigOutput['models']): Found[] {
  const problems: Found[] = []
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): void => {
    if (done.has(name)) return
    const fallback = Object.hasOwn(models, name) ? (models[name]?.fallback ?? []) : []
    for (const [index, next] of fallback.entries()) {
      const start = next === name ? trail.length : trail.indexOf(next)
      if (start < 0) {
        visit(next, [...trail, name])
        continue
      }
      const circle = [...trail.slice(start), name, next].join(' → ')
      problems.push(found(['models', name, 'fallback', index], `the fallbacks go in a circle: ${circle}`, 'take one of them out'))
    }
    done.add(name)
  }
  for (const name of Object.keys(models)) visit(name, [])
  return problems
}

function checkBudgets({ tiers = {} }: ConfigOutput): Found[] {
  const problems: Found[] = []
  for (const [name, { next }] of Object.entries(tiers))
    if (next !== undefined && !Object.hasOwn(tiers, next))
      problems.push(
        found(['tiers', name, 'next'], `there is no tier \`${next}\``, didYouMean(next, Object.keys(tiers)) ?? 'add it under `tiers:`'),
      )
  return problems
}
