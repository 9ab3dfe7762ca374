/** What a route may say of where its calls go: constraints, preferences, conditions, groups and pools. */
import { z } from 'zod'
import { retentions } from '../core/steering.ts'
import { poolCategories, strategies } from './config.ts'
import { amount, optionalDuration } from './schema-parts.ts'
import { closest } from './suggest.ts'

function strategyHelp({ input }: { readonly input?: unknown }): string {
  const near = typeof input === 'string' ? closest(input, strategies) : undefined
  const rest = near ? `did you mean \`${near}\`?` : `use one of ${strategies.join(', ')}, or \`{ score: "cost" }\``
  return `not a strategy\n${rest}`
}

const words = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])
const dollars = z.number().min(0).max(1_000_000)
const names = z.array(z.string().min(1)).min(1)

export const retention = z
  .enum(retentions)
  .optional()
  .describe(
    'What it keeps of what it is sent: nothing (`zero`), for a short time against abuse (`limited`), for longer (`standard`), or for `training`.',
  )

export const constraints = z
  .strictObject({
    region: words.optional().describe('Only targets in one of these regions: `eu` takes `eu-west-1` too.'),
    trust: words.optional().describe('Only providers with one of these words for `trust`.'),
    retention: z.enum(retentions).optional().describe('The most that a provider may keep.'),
    maxPrice: z
      .strictObject({
        input: dollars.optional().describe('USD per million tokens of input.'),
        output: dollars.optional().describe('USD per million tokens of output.'),
      })
      .optional()
      .describe('Only targets whose price is known and at most this.'),
    maxCost: amount.optional().describe('USD that one call may be expected to cost at most.'),
    maxLatency: optionalDuration().describe(
      'Only targets that lately answered within this: first token of a stream, or a whole plain answer.',
    ),
    providers: z
      .strictObject({
        allow: names.optional().describe('Only these, by id.'),
        deny: names.optional().describe('None of these.'),
      })
      .optional()
      .describe('Which providers may be called.'),
    require: z
      .string()
      .min(1)
      .optional()
      .describe('What every target must be able to do, as in `x-signalbox-require`: `context>=128k, json_schema`.'),
  })
  .optional()
  .describe('What every target of a call must meet. A target that does not is not tried.')

export const prefer = z
  .string()
  .min(1)
  .optional()
  .describe('What decides among targets, as in `x-signalbox-prefer`: `cost;q=0.8, latency;q=0.2`. A caller may say otherwise.')

export const pool = z
  .strictObject({
    category: z.enum(poolCategories).describe('What its models are good for.'),
    size: z.int().min(1).max(50).default(5).describe('How many models, where `targets` names none.'),
  })
  .optional()
  .describe(
    'A ranked pool: targets are tried by rank, and how they do in service moves them up and down. Without `targets`, models of the configured providers fill it.',
  )

const score = z
  .strictObject({
    score: z
      .string()
      .min(1)
      .describe(
        'A CEL expression that gives a number for each target; the lowest comes first: `cost * 1000 + latency / 100`. It may ask about `target`, `cost`, `latency`, `errors`, `headroom`, `inFlight`, `share`, `hour`, `random`, and what `when` may ask about.',
      ),
    spreads: z
      .boolean()
      .optional()
      .describe('All targets are to get calls: one that has rested is tried by a call as soon as its rest is over.'),
  })
  .describe('An order of your own, in CEL.')

export type ScoreConfig = z.output<typeof score>

export const strategy = z
  .union([z.enum(strategies), score], { error: strategyHelp })
  .default('priority')
  .describe('Which target comes first: one that ships, or a score of your own.')

export const when = z
  .string()
  .min(1)
  .optional()
  .describe(
    'A CEL expression on `request`, `key`, `metadata`, `labels` and `tags`; the target is left out of calls for which it is not true: `request.tokens < 8000 && metadata.team == "a"`.',
  )

interface Written {
  readonly provider?: string | undefined
  readonly model?: string | undefined
  readonly route?: string | undefined
}

/** A target is a model at a provider, or a route. */
export const routeOrModel = z.superRefine(({ provider, model, route }: Written, { addIssue }) => {
  const issue = (path: string[], message: string): void => addIssue({ code: 'custom', path, message })
  if (route !== undefined && (provider !== undefined || model !== undefined))
    issue([], 'names a route and a model\nwrite `route`, or `provider` and `model`')
  if (route === undefined && provider === undefined) issue(['provider'], 'missing\nadd `provider`: a text')
  if (route === undefined && model === undefined) issue(['model'], 'missing\nadd `model`: a text')
})

export const someTarget = z.superRefine(
  ({ targets, pool }: { readonly targets: readonly unknown[]; readonly pool?: unknown }, { addIssue }) => {
    if (targets.length === 0 && !pool)
      addIssue({ code: 'custom', path: ['targets'], message: 'a route needs a target\nadd `targets: [{ provider: …, model: … }]`' })
  },
)
