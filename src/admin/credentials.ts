/** The routes that keys of applications and keys of admins have in common. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Role } from '../core/principal.ts'
import { atLeast, mayGrant, notFound, sees } from './access.ts'
import { changing } from './collection.ts'
import { inputOf, type KeyInput, keyAnswerShape, shownKey, specOf } from './key-form.ts'
import type { KeyAdmin, ManagedKey } from './parts.ts'
import { type Context, type Route, route } from './route.ts'
import { pageOf, patched, patchOf, span, spanMs, tenantPageQuery } from './schema.ts'

interface CredentialsSpec {
  /** `keys`. */
  readonly group: string
  readonly noun: string
  readonly title: string
  readonly read: Role
  readonly write: Role
  readonly rights: string
  readonly shape: z.ZodRawShape
  keptIn(context: Context): KeyAdmin
  /** The role of a new one, from the body; `before` when one is changed. */
  roleOf(body: Readonly<Record<string, unknown>>, before: ManagedKey | undefined): Role
}

const DEFAULT_OVERLAP_MS = 3_600_000

export function credentials(spec: CredentialsSpec): Route[] {
  const { group, noun, title, read, write, rights, shape } = spec
  const item = z.object(keyAnswerShape).meta({ id: title })
  const made = z
    .object({ ...keyAnswerShape, key: z.string().describe('The key itself: shown this once, kept nowhere.') })
    .meta({ id: `New${title}` })
  const input = z.strictObject(shape).meta({ id: `${title}Input` })
  const { organisation: _, ...changeable } = shape
  const patch = patchOf(z.strictObject(changeable)).meta({ id: `${title}Patch` })
  const rotation = z
    .strictObject({ overlap: span.optional().describe('So long the key before works too. Default: 1h; "0s": it ends at once.') })
    .meta({ id: `${title}Rotation` })

  async function owned(context: Context): Promise<ManagedKey> {
    const key = await spec.keptIn(context).get(context.param('id'))
    if (!key || !sees(context.organisation, key.tenant.organisation)) throw notFound(noun)
    return key
  }
  /** Nobody touches who is above them. */
  async function within(context: Context): Promise<ManagedKey> {
    const key = await owned(context)
    if (!atLeast(context.principal.role, key.role))
      throw new GatewayError('forbidden', `It has the role \`${key.role}\`, which is more than your own.`)
    return key
  }
  const noted = (context: Context, { id, tenant }: ManagedKey): void =>
    context.note({ subject: `${noun}/${id}`, organisation: tenant.organisation })

  return [
    route({
      name: `${group}.list`,
      method: 'GET',
      path: `/${group}`,
      summary: `Every ${noun}, in the order of ids.`,
      action: `${noun}.list`,
      role: read,
      right: `${rights}.read`,
      query: tenantPageQuery,
      answer: pageOf(item),
      async handle(context) {
        const { after, limit, organisation: asked } = context.query
        const organisation = context.organisation ?? asked
        if (asked !== undefined && asked !== organisation) return { data: [] }
        const { data, next } = await spec.keptIn(context as unknown as Context).list({ organisation, after, limit })
        return { data: data.map(shownKey), next }
      },
    }),
    route({
      name: `${group}.create`,
      method: 'POST',
      path: `/${group}`,
      summary: `Makes ${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}. The answer shows it, this once.`,
      action: `${noun}.create`,
      role: write,
      right: `${rights}.write`,
      body: input,
      answer: made,
      async handle(context) {
        const body = context.body as Record<string, unknown>
        const role = spec.roleOf(body, undefined)
        mayGrant(context.principal, role, 'role')
        const { key, secret } = await spec
          .keptIn(context as Context)
          .create(await specOf(withoutRole(body), role, context as Context), context.principal.id)
        noted(context as Context, key)
        return { ...shownKey(key), key: secret }
      },
    }),
    route({
      name: `${group}.get`,
      method: 'GET',
      path: `/${group}/{id}`,
      summary: `One ${noun}, without the key itself.`,
      action: `${noun}.read`,
      role: read,
      right: `${rights}.read`,
      answer: item,
      handle: async (context) => shownKey(await owned(context as unknown as Context)),
    }),
    route({
      name: `${group}.update`,
      method: 'PATCH',
      path: `/${group}/{id}`,
      summary: 'Changes the members that are given; null takes one away. In force everywhere within a second.',
      action: `${noun}.update`,
      role: write,
      right: `${rights}.write`,
      versioned: true,
      body: patch,
      answer: item,
      async handle(context) {
        const { version: _version, ...change } = context.body as Record<string, unknown>
        const plain = context as Context
        const key = await changing(
          context.ifMatch,
          () => within(plain),
          async (before) => {
            const role = spec.roleOf(change, before)
            if (role !== before.role) mayGrant(context.principal, role, 'role')
            const start = inputOf(before)
            // Another way to say when it ends takes the place of the one before.
            if ('expiresIn' in change) delete start.expiresAt
            if ('models' in change && !('scopes' in change) && start.scopes) delete start.scopes.models
            return spec
              .keptIn(plain)
              .update(before.id, before.version, await specOf(withoutRole(patched(start, change)), role, plain, before))
          },
        )
        noted(plain, key)
        return shownKey(key)
      },
    }),
    route({
      name: `${group}.revoke`,
      method: 'DELETE',
      path: `/${group}/{id}`,
      summary: 'Ends it, everywhere within a second.',
      action: `${noun}.revoke`,
      role: write,
      right: `${rights}.write`,
      async handle(context) {
        const plain = context as unknown as Context
        const key = await within(plain)
        if (!(await spec.keptIn(plain).revoke(key.id))) throw notFound(noun)
        noted(plain, key)
        return undefined
      },
    }),
    route({
      name: `${group}.rotate`,
      method: 'POST',
      path: `/${group}/{id}/rotate`,
      summary: `Gives the ${noun} a new secret. The answer shows it, this once; the one before works on for a while.`,
      action: `${noun}.rotate`,
      role: write,
      right: `${rights}.write`,
      body: rotation,
      bodyOptional: true,
      answer: made,
      async handle(context) {
        const plain = context as Context
        const before = await within(plain)
        const { overlap } = context.body
        const overlapMs = overlap === undefined ? DEFAULT_OVERLAP_MS : spanMs(overlap)
        const { key, secret } = await spec.keptIn(plain).rotate(before.id, { overlapMs })
        noted(plain, key)
        return { ...shownKey(key), key: secret }
      },
    }),
  ]
}

const withoutRole = ({ role: _, ...rest }: Readonly<Record<string, unknown>>): KeyInput => rest as KeyInput
