/**
 * The shape of a configuration: every key with its default and a sentence. The JSON Schema and the reference page are
 * made of it. What one key alone cannot tell (that a target's provider exists) is in `cross-check.ts`.
 *
 * Error texts are `what is wrong`, newline, `what to do`.
 */
import { z } from 'zod'
import { priorities } from '../core/priority.ts'
import type { RoutingStrategy } from '../routing/strategy.ts'
import { onBreaks, onPolicies } from './config.ts'
import { access } from './schema-access.ts'
import { catalog } from './schema-catalog.ts'
import { drills } from './schema-drills.ts'
import { events } from './schema-events.ts'
import { cache, guards, mcp, prompts, tiers, workflows } from './schema-later.ts'
import { budgets, ledger, prices, limits as rateLimits, reservation } from './schema-money.ts'
import { bodyFields, duration, headers, optionalDuration, secret, size, wire } from './schema-parts.ts'
import { price } from './schema-prices.ts'
import { reconcile } from './schema-reconcile.ts'
import { constraints, pool, prefer, retention, routeOrModel, someTarget, strategy, when } from './schema-routing.ts'
import { secrets } from './schema-secrets.ts'
import { http2, tls } from './schema-server.ts'

const limits = z
  .strictObject({
    body: size('64MB').describe('Largest request body, as sent and after decompression.'),
    answer: size('64MB').describe('Largest plain answer of a provider.'),
    event: size('16MB').describe('Largest single event of a stream.'),
    calls: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(2_000)
      .describe('Calls at a time, at the very most; the gateway lowers it by itself when it is overloaded.'),
    held: size('256MB').describe('Request bodies of all calls that run or wait, together.'),
    depth: z.int().min(8).max(100_000).default(1000).describe('How deep a request body may be nested.'),
  })
  .prefault({})
  .describe('Sizes beyond which a request or an answer is refused.')

const server = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('The address to listen on. `0.0.0.0` for every interface.'),
    port: z.int().min(0).max(65_535).default(8484).describe('The port to listen on. 0 takes a free one.'),
    threads: z.int().min(1).max(256).default(1).describe('Threads that serve requests.'),
    drain: duration('30s').describe('How long running calls may take to end when the gateway stops.'),
    limits,
    tls,
    http2,
  })
  .prefault({})
  .describe('The HTTP listener.')

const store = z
  .strictObject({
    url: z
      .string()
      .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+|memory:)$/, {
        error: 'not a store\nwrite `sqlite:./signalbox.db`, `postgres://user@host/database` or `memory:`',
      })
      .default('sqlite:./signalbox.db')
      .describe('Where durable state lives: `sqlite:PATH`, `postgres://…`, or `memory:` (nothing kept).'),
  })
  .prefault({})
  .describe('Durable state: keys, ledger, settings.')

const shared = z
  .strictObject({
    url: z
      .string()
      .regex(/^(redis|rediss|valkey):\/\/.+$/, { error: 'not a Redis URL\nwrite `redis://127.0.0.1:6379`' })
      .describe('Redis or Valkey, for counters, limits and breakers that several replicas share.'),
    onFailure: z
      .enum(['open', 'closed'])
      .default('open')
      .describe('When it cannot be reached: serve without it (`open`) or refuse (`closed`).'),
  })
  .optional()
  .describe('State that replicas share.')

const admin = z
  .strictObject({
    key: secret
      .default('env:SIGNALBOX_ADMIN_KEY')
      .describe("The owner's key, 8 characters or more. Unset: made at first start and printed once."),
    console: z.boolean().default(true).describe('Serve the console at `/console`.'),
  })
  .prefault({})
  .describe('The admin API and the console.')

const provider = z
  .strictObject({
    preset: z.string().min(1).optional().meta({
      description:
        'A provider of the catalogue, or `openai-compatible`, `anthropic-compatible`, `gemini-compatible`, `ollama`, `llamacpp`, `simulator`.',
      implied: "the provider's id",
    }),
    baseUrl: z
      .string()
      .regex(/^(https?:\/\/|\$\{)/, {
        error: 'not an http(s) URL\nwrite what precedes `/chat/completions`, version included: `https://api.example.com/v1`',
      })
      .optional()
      .meta({
        description:
          // biome-ignore lint/suspicious/noTemplateCurlyInString: told to the reader as it is written in the file
          'What precedes `/chat/completions`, `/messages`, `/models…`, version segment included. `${VAR}` comes from the environment.',
        implied: "the preset's",
      }),
    wire: wire.optional().meta({ description: 'Forces one wire.', implied: "the caller's own where the provider speaks it" }),
    keys: z.array(secret).default([]).describe('Credentials, as references: `env:NAME`, `file:PATH`.'),
    region: z.string().min(1).optional().describe('Where it runs, for residency rules: `eu`, `us-east-1`, `on-prem`.'),
    trust: z
      .string()
      .min(1)
      .optional()
      .describe('How far it is trusted with data: `private`, `standard`, `public`, or a word of your own.'),
    retention,
    headers: headers.optional().describe('Headers added to every request.'),
    body: bodyFields.optional().describe('Fields set in every request body.'),
  })
  .describe('One provider.')

const timeouts = z
  .strictObject({
    connect: optionalDuration('2s').describe('Until the connection stands.'),
    firstToken: optionalDuration('60s', '60s; 180s for models known to reason').describe('Until the first model event of a stream.'),
    idle: optionalDuration('30s', '30s; 120s for models known to reason').describe(
      'Between events that carry model output; pings do not count.',
    ),
    answer: optionalDuration('300s').describe('One attempt at a plain answer, whole.'),
    total: optionalDuration('600s').describe('The call with all its attempts.'),
  })
  .prefault({})
  .describe('How long to wait.')

const attempts = z.int().min(1).max(10)
const defaults = z
  .strictObject({
    retries: z
      .strictObject({ attempts: attempts.default(2).describe('Attempts on one target, the first included.') })
      .prefault({})
      .describe('Trying the same target again.'),
    timeouts,
    breaker: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('False: the gateway keeps no memory of faults (breakers, ejection, key cool-down, retirement).'),
      })
      .prefault({})
      .describe('Leaving out targets that keep failing.'),
    onBreak: z
      .enum(onBreaks)
      .default('error')
      .describe(
        'When a stream breaks after its first event: end with an `error`, `restart` for callers that accept it, or `continue` elsewhere.',
      ),
    commit: z
      .strictObject({
        hold: optionalDuration(undefined, 'none: the first event').describe(
          'So long the beginning of a stream is held back: what breaks meanwhile goes to the next target unseen.',
        ),
        events: z
          .int()
          .min(1)
          .max(1_000)
          .optional()
          .describe('So many pieces of output must come within `hold`; a slower stream goes to the next target.'),
      })
      .prefault({})
      .describe('When a stream is handed to the caller, after which no other target can take over unseen.'),
    onPolicy: z
      .enum(onPolicies)
      .default('refuse')
      .describe("When a provider's own content policy refuses a request: hand its refusal on (`refuse`), or try the `next` target."),
  })
  .prefault({})
  .describe('Route settings for every route and for direct addressing (`provider/model`).')

const target = z
  .strictObject({
    provider: z.string().min(1).optional().describe('The id of a configured provider.'),
    model: z.string().min(1).optional().describe("The model's name there."),
    route: z.string().min(1).optional().describe('Instead of both: another route, whose own strategy chooses within.'),
    weight: z.number().min(0).max(1_000_000).default(1).describe('Its share, for the strategy `weighted`.'),
    when,
    wire: wire.optional().meta({ description: 'Forces one wire.', implied: "the provider's" }),
    price: price.optional(),
    headers: headers.optional().describe('Headers added to requests to this target.'),
    body: bodyFields.optional().describe('Fields set in the request body to this target.'),
  })
  .check(routeOrModel)
  .describe('A model at a provider, or another route.')

const route = z
  .strictObject({
    strategy,
    targets: z.array(target).default([]).describe('Where a call may go.'),
    pool,
    constraints,
    prefer,
    fallback: z.array(z.string().min(1)).default([]).describe('Routes that are tried when every target has failed.'),
    retries: z
      .strictObject({ attempts: attempts.optional().describe('Over `defaults.retries.attempts`.') })
      .optional()
      .describe('Over `defaults.retries`.'),
    timeouts: z
      .strictObject({
        connect: optionalDuration().describe('Over `defaults.timeouts.connect`.'),
        firstToken: optionalDuration().describe('Over `defaults.timeouts.firstToken`.'),
        idle: optionalDuration().describe('Over `defaults.timeouts.idle`.'),
        answer: optionalDuration().describe('Over `defaults.timeouts.answer`.'),
        total: optionalDuration().describe('Over `defaults.timeouts.total`.'),
      })
      .optional()
      .describe('Over `defaults.timeouts`.'),
    breaker: z
      .strictObject({ enabled: z.boolean().optional().describe('Over `defaults.breaker.enabled`.') })
      .optional()
      .describe('Over `defaults.breaker`.'),
    onBreak: z.enum(onBreaks).optional().describe('Over `defaults.onBreak`.'),
    commit: z
      .strictObject({
        hold: optionalDuration().describe('Over `defaults.commit.hold`.'),
        events: z.int().min(1).max(1_000).optional().describe('Over `defaults.commit.events`.'),
      })
      .optional()
      .describe('Over `defaults.commit`.'),
    onPolicy: z.enum(onPolicies).optional().describe('Over `defaults.onPolicy`.'),
    priority: z
      .enum(priorities)
      .default('interactive')
      .describe(
        'How urgent its calls are: when the gateway is at its limits, `interactive` calls go before those of an `agent`, and `batch` comes last.',
      ),
    hedge: z
      .boolean()
      .default(false)
      .describe(
        'Ask a second target when the first is slower than its 95th percentile, and take what comes first. For calls without tools, and for one call in twenty at most; both are paid for.',
      ),
  })
  .check(someTarget)
  .describe('What clients ask for by this name.')

const telemetry = z
  .strictObject({
    log: z
      .enum(['off', 'errors', 'calls'])
      .default('errors')
      .describe('One structured line per failed call (`errors`), per call (`calls`), or none.'),
  })
  .prefault({})
  .describe('What the gateway tells of its work.')

export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: the address of this schema.'),
    server,
    store,
    shared,
    access,
    admin,
    providers: z.record(z.string(), provider).default({}).describe('Where calls may go, by an id of your choice: `[a-z0-9][a-z0-9._-]*`.'),
    defaults,
    models: z.record(z.string(), route).default({}).describe('Routes: the names that clients ask for.'),
    guards,
    cache,
    tiers,
    budgets,
    limits: rateLimits,
    prices,
    reservation,
    ledger,
    reconcile,
    mcp,
    prompts,
    workflows,
    secrets,
    telemetry,
    events,
    catalog,
    drills,
  })
  .describe('Configuration of Signalbox.')

type Written = z.input<typeof configSchema>
type WrittenRoute = NonNullable<Written['models']>[string]
/** What operators write. In TypeScript, a route's strategy may be their own. */
export type ConfigInput = Omit<Written, 'models'> & {
  models?: Record<string, Omit<WrittenRoute, 'strategy'> & { strategy?: WrittenRoute['strategy'] | RoutingStrategy }>
}
/** The same with defaults filled in, units still as written. */
export type ConfigOutput = z.output<typeof configSchema>
