/** What a target may say of its prices, over those that are listed. */
import { z } from 'zod'

const dollars = z.number().min(0).max(1_000_000)

const kinds = {
  input: dollars.optional().describe('Input tokens.'),
  output: dollars.optional().describe('Output tokens.'),
  cacheRead: dollars.optional().describe("Input tokens read from the provider's cache."),
  cacheWrite: dollars.optional().describe("Input tokens written to the provider's cache."),
  cacheWrite1h: dollars.optional().describe('Input tokens written to a cache that keeps them for an hour or longer.'),
  reasoning: dollars.optional().describe('Reasoning tokens, where they are billed apart from output.'),
  inputAudio: dollars.optional().describe('Input tokens of sound.'),
  outputAudio: dollars.optional().describe('Output tokens of sound.'),
  inputImage: dollars.optional().describe('Input tokens of pictures.'),
  outputImage: dollars.optional().describe('Output tokens of pictures.'),
  request: dollars.optional().describe('Requests: USD per thousand.'),
  webSearch: dollars.optional().describe('Searches that the provider makes, each query of them: USD per thousand.'),
  searchPrompt: dollars.optional().describe('Prompts for which the provider searched the web, however often: USD per thousand.'),
  mapPrompt: dollars.optional().describe('Prompts for which the provider searched a map, however often: USD per thousand.'),
  fileSearch: dollars.optional().describe('Searches of files that the provider keeps: USD per thousand.'),
  socialSearch: dollars.optional().describe('Searches of X: USD per thousand.'),
  codeRun: dollars
    .optional()
    .describe('Containers in which the provider ran code, or runs where the answer names no container: USD per thousand.'),
  toolImage: dollars.optional().describe("Pictures that a tool of the provider's made: USD per thousand."),
}

const timeHelp = 'not a time of day\nwrite hours and minutes in UTC, in quotes: "16:30"'
const time = z.string({ error: timeHelp }).regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: timeHelp })

const band = z
  .strictObject({ above: z.int().min(0).describe('It holds for the whole call once its input is larger than this many tokens.'), ...kinds })
  .describe('Rates for longer inputs; what it leaves out stays.')

const tier = z
  .strictObject({
    factor: z.number().min(0).max(100).optional().describe('What tokens of kinds that are left out are multiplied with.'),
    ...kinds,
  })
  .describe('Rates of one class of service.')

const hours = z
  .strictObject({
    from: time.describe('From when on, UTC.'),
    to: time.describe('Until when, UTC. May be on the next day.'),
    ...kinds,
  })
  .check(
    z.superRefine(({ from, to }, { addIssue }) => {
      if (from === to) addIssue({ code: 'custom', path: ['to'], message: 'no time at all\nwrite when the window ends' })
    }),
  )
  .describe('Rates in a window of every day; what it leaves out stays.')

export const price = z
  .strictObject({
    ...kinds,
    minimum: dollars.optional().describe('USD that one call costs at least.'),
    bands: z.array(band).min(1).max(20).optional().describe('Other rates for longer inputs.'),
    tiers: z
      .record(
        z
          .string()
          .regex(/^[a-z0-9_-]{1,40}$/, { error: 'not the name of a class of service\nwrite it as the provider does: `batch`, `flex`' }),
        tier,
      )
      .optional()
      .describe('Other rates for classes of service, by the name that the provider tells: `batch`, `flex`, `priority`.'),
    geos: z
      .record(
        z.string().regex(/^[a-z0-9_-]{1,40}$/, { error: 'not the name of a place\nwrite it in small letters, as the provider does: `us`' }),
        z.number().min(0).max(100),
      )
      .optional()
      .describe('What tokens are multiplied with in places that the provider says served the call: `us`.'),
    hours: z.array(hours).min(1).max(24).optional().describe('Other rates at certain hours. The last one that holds counts.'),
    discount: z.number().min(0).max(1).optional().describe('Share off everything, listed or said here; `minimum` apart.'),
  })
  .describe("USD per million tokens, over the listed price's.")
