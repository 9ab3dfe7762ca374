import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from './config.ts'
import type { KnownProvider, KnownProviders } from './cross-check.ts'
import { type ParseContext, parseConfig } from './parse.ts'

const known: Record<string, Omit<KnownProvider, 'id'>> = {
  openai: { env: ['OPENAI_API_KEY'], baseUrl: 'https://api.openai.com/v1' },
  anthropic: { env: ['ANTHROPIC_API_KEY'], baseUrl: 'https://api.anthropic.com/v1' },
  nowhere: { env: ['NOWHERE_KEY'] },
}
const catalog = (): KnownProviders => ({
  provider: (id) => (known[id] ? { id, ...known[id] } : undefined),
  providers: () => Object.keys(known).map((id) => ({ id })),
})
const env = { OPENAI_API_KEY: 'sk-1', PORT: '9000', HOST_NAME: 'eu.example' }

const parse = (value: unknown, context: ParseContext = {}) => parseConfig(value, { env, catalog, ...context })
const configOf = (value: unknown, context?: ParseContext) => {
  const { config, problems } = parse(value, context)
  assert.deepEqual(problems, [])
  assert.ok(config)
  return config
}
/** The only problem of a configuration. */
const problemOf = (value: unknown, context?: ParseContext): Problem => {
  const { config, problems } = parse(value, context)
  assert.equal(config, undefined)
  assert.equal(problems.length, 1, JSON.stringify(problems))
  return problems[0] as Problem
}
const lab = { preset: 'openai-compatible', baseUrl: 'http://10.0.0.7:8000/v1' }
const withRoute = (route: object) => ({ providers: { lab }, models: { fast: { targets: [{ provider: 'lab', model: 'm' }], ...route } } })

test('an empty configuration has every default', () => {
  for (const nothing of [undefined, null, {}]) {
    const config = configOf(nothing)
    assert.deepEqual(config.server, {
      host: '127.0.0.1',
      port: 8484,
      threads: 1,
      drainMs: 30_000,
      limits: { body: 64 * 1024 ** 2, answer: 64 * 1024 ** 2, event: 16 * 1024 ** 2, calls: 2_000, held: 256 * 1024 ** 2, depth: 1000 },
    })
    assert.equal(config.access.mode, 'open')
    assert.equal(config.store.url, 'sqlite:./signalbox.db')
    assert.deepEqual(config.defaults.retries, { attempts: 2 })
    assert.deepEqual(config.telemetry, { log: 'errors' })
  }
})

test('timeouts that nobody set stay unset, and routes merge theirs over the defaults', () => {
  const config = configOf({
    ...withRoute({ timeouts: { firstToken: '8s' }, onBreak: 'continue', retries: {} }),
    defaults: { timeouts: { connect: '250ms', idle: '1m' }, retries: { attempts: 1 } },
  })
  assert.deepEqual(config.defaults.timeouts, {
    connectMs: 250,
    firstTokenMs: undefined,
    idleMs: 60_000,
    answerMs: undefined,
    totalMs: undefined,
  })
  const fast = config.models.get('fast')
  assert.deepEqual(fast?.timeouts, { connectMs: 250, firstTokenMs: 8_000, idleMs: 60_000, answerMs: undefined, totalMs: undefined })
  assert.equal(fast?.retries.attempts, 1)
  assert.equal(fast?.onBreak, 'continue')
  assert.equal(config.defaults.onBreak, 'error')
})

test('providers keep their order, and their preset defaults to the id', () => {
  const config = configOf({ providers: { zeta: lab, openai: { keys: ['env:OPENAI_API_KEY'] }, alpha: lab } })
  assert.deepEqual([...config.providers.keys()], ['zeta', 'openai', 'alpha'])
  assert.equal(config.providers.get('openai')?.preset, 'openai')
  assert.equal(config.providers.get('constructor'), undefined)
})

test('variables in a base URL come from the environment', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is written in a configuration
  const baseUrl = 'https://${HOST_NAME}/v1'
  assert.equal(configOf({ providers: { a: { ...lab, baseUrl } } }).providers.get('a')?.baseUrl, 'https://eu.example/v1')
  const problem = problemOf({ providers: { a: { ...lab, baseUrl } } }, { env: {} })
  assert.equal(problem.path, 'providers.a.baseUrl')
  assert.match(problem.message, /HOST_NAME is not set/)
})

test('a bare number is no duration and no size, and the remedy says what is', () => {
  for (const [value, path] of [
    [{ server: { drain: 30 } }, 'server.drain'],
    [{ defaults: { timeouts: { idle: '30' } } }, 'defaults.timeouts.idle'],
    [{ server: { limits: { body: 64 } } }, 'server.limits.body'],
  ] as const) {
    const problem = problemOf(value)
    assert.equal(problem.path, path)
    assert.match(problem.remedy ?? '', /with a unit/)
  }
})

test('a wait is neither nothing nor longer than a timer can wait', () => {
  assert.match(problemOf({ defaults: { timeouts: { total: '30d' } } }).remedy ?? '', /24d or less/)
  assert.match(problemOf({ defaults: { timeouts: { idle: '0s' } } }).message, /no time at all/)
  assert.equal(configOf({ server: { drain: '0s' } }).server.drainMs, 0)
})

test('an unknown key is named, with the one that was meant', () => {
  assert.deepEqual(problemOf({ defaults: { retires: {} } }), {
    keys: ['defaults', 'retires'],
    path: 'defaults.retires',
    message: 'unknown key `retires`',
    remedy: 'did you mean `retries`?',
  })
  assert.equal(problemOf({ providers: { a: { ...lab, base_url: 'x' } } }).remedy, 'did you mean `baseUrl`?')
  assert.match(problemOf({ zzzzzzzz: 1 }).remedy ?? '', /`providers`/)
})

test('strategies, wires and presets suggest what was meant', () => {
  assert.match(problemOf(withRoute({ strategy: 'cheepest' })).remedy ?? '', /did you mean `cheapest`\?/)
  assert.match(problemOf({ providers: { a: { ...lab, wire: 'openai-chats' } } }).remedy ?? '', /did you mean `openai-chat`\?/)
  const preset = problemOf({ providers: { antropic: { keys: ['env:OPENAI_API_KEY'] } } })
  assert.equal(preset.path, 'providers.antropic')
  assert.equal(preset.remedy, 'did you mean `anthropic`?')
})

test('targets name configured providers, fallbacks existing routes', () => {
  const target = problemOf(withRoute({ targets: [{ provider: 'lob', model: 'm' }] }))
  assert.equal(target.path, 'models.fast.targets[0].provider')
  assert.equal(target.remedy, 'did you mean `lab`?')
  assert.equal(problemOf(withRoute({ fallback: ['fats'] })).remedy, 'did you mean `fast`?')
  assert.match(problemOf(withRoute({ targets: [{ provider: 'toString', model: 'm' }] })).message, /no provider `toString`/)
})

test('fallbacks may not go in a circle', () => {
  const route = (fallback: string[]) => ({ targets: [{ provider: 'lab', model: 'm' }], fallback })
  assert.match(problemOf({ providers: { lab }, models: { a: route(['b']), b: route(['c']), c: route(['a']) } }).message, /a → b → c → a/)
  assert.match(problemOf({ providers: { lab }, models: { a: route(['a']) } }).message, /a → a/)
  configOf({ providers: { lab }, models: { a: route(['b', 'c']), b: route(['c']), c: route([]) } })
})

test('a catalogue provider needs a key, unless it is on this machine; a compatible one does not', () => {
  const problem = problemOf({ providers: { openai: {} } })
  assert.equal(problem.path, 'providers.openai.keys')
  assert.match(problem.remedy ?? '', /env:OPENAI_API_KEY/)
  configOf({ providers: { openai: { baseUrl: 'http://127.0.0.1:9/v1' }, lab, ollama: {}, simulator: {} } })
  assert.match(problemOf({ providers: { nowhere: { keys: ['env:OPENAI_API_KEY'] } } }).message, /does not know the address/)
  assert.match(problemOf({ providers: { a: { preset: 'openai-compatible' } } }).message, /no address of its own/)
})

test('a credential in plain text is refused without repeating it, unless it is allowed', () => {
  const provider = { ...lab, keys: ['sk-very-secret'] }
  const problem = problemOf({ providers: { a: provider } })
  assert.equal(problem.path, 'providers.a.keys[0]')
  assert.doesNotMatch(JSON.stringify(problem), /very-secret/)
  configOf({ providers: { a: provider }, secrets: { allowPlaintext: true } })
})

test('a credential in the wrong place of the file is not repeated either', () => {
  for (const keys of ['sk-very-secret', { a: 'sk-very-secret' }])
    assert.doesNotMatch(JSON.stringify(problemOf({ providers: { a: { ...lab, keys } } })), /very-secret/)
  assert.doesNotMatch(
    JSON.stringify(problemOf({ providers: { a: { ...lab, headers: { authorization: ['very-secret'] } } } })),
    /very-secret/,
  )
})

test('a key whose variable or file is missing is named', () => {
  assert.match(problemOf({ providers: { a: { ...lab, keys: ['env:NOT_THERE'] } } }).message, /NOT_THERE is not set/)
  const readFile = () => {
    throw Object.assign(new Error('no'), { code: 'ENOENT' })
  }
  assert.match(
    problemOf({ providers: { a: { ...lab, keys: ['file:/nowhere'] } } }, { readFile }).message,
    /\/nowhere cannot be read \(ENOENT\)/,
  )
})

test('references that have to be asked for are the business of a running server, and nothing for an embedded gateway', () => {
  const keys = ['secret:one', 'env:OPENAI_API_KEY', 'vault:kv/x#y']
  const { config, notices } = parse({ providers: { a: { ...lab, keys } } })
  assert.deepEqual(config?.providers.get('a')?.keys, keys)
  assert.deepEqual(notices, [])
  const embedded = problemOf({ providers: { a: { ...lab, keys: keys.slice(0, 2) } } }, { embedded: true })
  assert.equal(embedded.path, 'providers.a.keys[0]')
  assert.match(embedded.remedy ?? '', /env:NAME/)
})

test('open access is for loopback only', () => {
  assert.equal(configOf({ server: { host: '0.0.0.0' } }).access.mode, 'keys')
  assert.equal(configOf({ server: { host: '::1' } }).access.mode, 'open')
  assert.equal(problemOf({ server: { host: '0.0.0.0' }, access: { mode: 'open' } }).path, 'access.mode')
  assert.equal(problemOf({ access: { mode: 'open' } }, { overrides: { host: '10.1.1.1' } }).path, 'access.mode')
  assert.equal(configOf({ access: { mode: 'keys' } }).access.mode, 'keys')
})

test('the command line wins over the file', () => {
  const { server } = configOf({ server: { port: 1 } }, { overrides: { port: 2, host: 'localhost' } })
  assert.deepEqual([server.port, server.host], [2, 'localhost'])
})

test('provider ids are plain words, and `__proto__` is nobody’s name', () => {
  assert.match(problemOf({ providers: { 'My Lab': lab } }).message, /cannot be a provider's id/)
  const value: unknown = JSON.parse('{"models": {"__proto__": {"targets": []}}}')
  assert.match(problemOf(value).message, /`__proto__` cannot be used/)
})

test('everything that is wrong is told at once', () => {
  const { problems } = parse({ server: { port: '1', prot: 2 }, models: { a: { targets: [] } }, telemetry: { log: 'all' } })
  assert.deepEqual(problems.map(({ path }) => path).toSorted(), ['models.a.targets', 'server.port', 'server.prot', 'telemetry.log'])
})

test('sections without an engine are validated, and said to have no effect yet', () => {
  const later = {
    ...withRoute({ strategy: 'cheapest' }),
    guards: { pii: { kind: 'pii', action: 'redact' } },
    cache: { exact: { enabled: true } },
    tiers: { free: { models: ['fast'] } },
    budgets: [{ limit: '0.50', window: 'day', by: 'key' }],
    mcp: { servers: { files: { command: 'mcp-files' } } },
    prompts: { greet: { template: 'Hello {{name}}' } },
    workflows: { two: { steps: [{ id: 'one', model: 'fast' }] } },
  }
  const { config, notices } = parse(later)
  assert.ok(config)
  assert.deepEqual(
    notices.map(({ path }) => path),
    ['guards', 'cache', 'mcp', 'prompts', 'workflows'],
  )
  assert.equal(problemOf({ ...later, guards: { pii: { kind: 'pii', actoin: 'redact' } } }).remedy, 'did you mean `action`?')
  assert.equal(problemOf({ ...later, budgets: [{ limit: 'a lot' }] }).path, 'budgets[0].limit')
  assert.deepEqual(parse({}).notices, [])
})

test('three thousand providers are read in well under a second', () => {
  const providers = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`p${index}`, { ...lab, wire: 'openai-responses', keys: ['env:OPENAI_API_KEY'] }]),
  )
  const start = performance.now()
  assert.equal(configOf({ providers }).providers.size, 3000)
  assert.ok(performance.now() - start < 1000)
})

test('no value, however odd, makes it throw', () => {
  for (const odd of [
    1,
    'text',
    [],
    true,
    { providers: [] },
    { providers: { a: null } },
    { models: 'x' },
    { models: { a: { targets: {} } } },
    { server: 5 },
  ])
    assert.ok(parse(odd).problems.length > 0, JSON.stringify(odd))
})

test('a strategy written in TypeScript stays what it is, and anything else in its place is a mistake', () => {
  const own = { name: 'own', order: (candidates: readonly unknown[]) => candidates }
  assert.equal(parse(withRoute({ strategy: own })).config?.models.get('fast')?.strategy, own)
  for (const odd of [{}, { name: 'own' }, { order: () => [] }, 7, null])
    assert.equal(problemOf(withRoute({ strategy: odd })).path, 'models.fast.strategy')
})
