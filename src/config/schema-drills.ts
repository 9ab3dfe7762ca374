/** Failover drills on a schedule. */
import { z } from 'zod'
import { drillFaultNames } from './config.ts'
import { interval, optionalDuration, secret } from './schema-parts.ts'

const webhook = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'not an http(s) URL\nwrite where reports are posted: `https://hooks.example.com/drills`' })
      .describe('Where reports are posted, as JSON.'),
    secret: secret.optional().describe('Signs each report: HMAC-SHA-256 in the header `x-signalbox-signature`.'),
    when: z.enum(['failed', 'always']).default('failed').describe('Which reports are posted.'),
  })
  .optional()
  .describe('Who is told of what a drill found.')

export const drills = z
  .strictObject({
    every: interval().default('24h').describe('How often.'),
    routes: z.array(z.string().min(1)).min(1).optional().describe('Routes to drill. Absent: all.'),
    faults: z.array(z.enum(drillFaultNames)).min(1).optional().describe('Faults to inject. Absent: all.'),
    live: z.boolean().default(false).describe('Really call healthy targets, with requests marked as drills, instead of the simulator.'),
    wait: optionalDuration('1s', '`1s`; with `live`, as the routes say').describe('No wait for a target is longer than this in a drill.'),
    webhook,
  })
  .optional()
  .describe('Failover drills on a schedule. Absent: only `signalbox drill` makes them.')
