/** `/tokens`: a key or JWT is exchanged for a short-lived token that may less. `/me`: who asks. */
import { z } from 'zod'
import { compact } from '../core/json.ts'
import type { Principal } from '../core/principal.ts'
import { scopes as keyScopes, keyShape, shownScopes } from './key-form.ts'
import { wrong } from './problem.ts'
import { route } from './route.ts'
import { role, span, spanMs, time, timeOf, timeOrNone } from './schema.ts'

const LONGEST_TTL_MS = 24 * 3_600_000

const { models, scopes, user, tags, tier } = keyShape
const wish = z
  .strictObject({
    ttl: span.optional().describe('How long it works: 1s to 24h. Default: as `access.tokens.ttl` says, 15m.'),
    models,
    scopes,
    user,
    tags,
    tier,
  })
  .meta({ id: 'TokenInput' })
const token = z
  .object({ id: z.string(), token: z.string().describe('The token itself: shown this once.'), expiresAt: time })
  .meta({ id: 'Token' })
const me = z
  .object({
    kind: z.enum(['owner', 'key', 'jwt']),
    id: z.string(),
    alias: z.string().optional(),
    role,
    organisation: z.string().optional(),
    team: z.string().optional(),
    project: z.string().optional(),
    user: z.string().optional(),
    tier: z.string().optional(),
    scopes: keyScopes,
    expiresAt: time.optional(),
  })
  .meta({ id: 'Me' })

export const tokens = [
  route({
    name: 'tokens.exchange',
    method: 'POST',
    path: '/tokens',
    summary: "Exchanges the caller's own key or JWT for a short-lived token, narrowed to what is asked for.",
    action: 'token.exchange',
    role: 'member',
    right: 'token.exchange',
    body: wish,
    bodyOptional: true,
    answer: token,
    async handle(context) {
      const { principal, services, body } = context
      const ttlMs = body.ttl === undefined ? undefined : spanMs(body.ttl)
      if (ttlMs !== undefined && (ttlMs < 1_000 || ttlMs > LONGEST_TTL_MS))
        throw wrong('ttl', `${body.ttl} is not a validity for a token`, 'choose from 1s to 24h')
      if (body.models !== undefined && body.scopes?.models !== undefined)
        throw wrong('models', 'stands in `scopes.models` as well', 'write one of them')
      const narrowed = compact({ ...body.scopes, models: body.models ?? body.scopes?.models }) as Principal['scopes']
      const made = await services.exchange(principal, {
        ...(ttlMs !== undefined && { ttlMs }),
        scopes: narrowed,
        ...compact({ user: body.user, tags: body.tags, tier: body.tier }),
      })
      context.note({ subject: `token/${made.id}` })
      return { id: made.id, token: made.token, expiresAt: timeOf(made.expiresAt) }
    },
  }),
  route({
    name: 'me.get',
    method: 'GET',
    path: '/me',
    summary: 'Who the caller is, and what it may.',
    action: 'me.read',
    role: 'member',
    right: 'key.own',
    answer: me,
    async handle({ principal }) {
      const { kind, id, alias, role: own, tenant, user: name, tier: level, scopes: allowed, expiresAt } = principal
      return {
        kind: kind === 'anonymous' ? 'key' : kind,
        id,
        alias,
        role: own,
        ...tenant,
        user: name,
        tier: level,
        scopes: shownScopes(allowed),
        expiresAt: timeOrNone(expiresAt),
      }
    },
  }),
]
