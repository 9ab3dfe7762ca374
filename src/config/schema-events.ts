/** Telling somebody else what happens, as it happens. */
import { z } from 'zod'
import { eventTypes } from './config.ts'
import { secret } from './schema-parts.ts'

export const events = z
  .strictObject({
    webhook: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'not an http(s) URL\nwrite where events are posted: `https://hooks.example.com/signalbox`' })
          .describe('Where each event is posted, as JSON.'),
        secret: secret.optional().describe('Signs each event: HMAC-SHA-256 in the header `x-signalbox-signature`.'),
        when: z
          .array(z.enum(eventTypes))
          .min(1)
          .default([...eventTypes])
          .describe('Which events are posted: a share of a budget or credit is used (`budget-warning`), or it first turned a call away.'),
      })
      .describe('Who is told.'),
  })
  .optional()
  .describe('Events, told as they happen. Absent: they are in the log alone.')
