/** Refreshing what is known of models, while the server runs. */
import { z } from 'zod'
import { interval } from './schema-parts.ts'

export const catalog = z
  .strictObject({
    refresh: interval().default('24h').describe('How often. The first time is when what is there is as old as that.'),
    url: z
      .url({ protocol: /^https?$/, error: 'not an http(s) URL\nwrite where facts are: `https://models.dev/api.json`' })
      .optional()
      .meta({ implied: 'https://models.dev/api.json' })
      .describe('Where facts and prices are read, in the form of models.dev.'),
  })
  .optional()
  .describe('Facts and prices of models, refreshed while the server runs. Absent: only `signalbox catalog sync` does it.')
