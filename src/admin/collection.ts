/** The five routes of a resource that is one kind of record: list, create, get, change, delete. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { newId } from '../core/id.ts'
import type { Json } from '../core/json.ts'
import type { Role } from '../core/principal.ts'
import type { RecordKind, RecordStore, StoredRecord } from '../core/records.ts'
import { notFound, sees } from './access.ts'
import { type Context, type Route, route } from './route.ts'
import { id as idSchema, pageOf, patched, patchOf, tenantPageQuery, time, timeOf } from './schema.ts'

export type Data = Readonly<Record<string, Json>>

export interface CollectionSpec {
  readonly kind: RecordKind
  /** Path and name of the group: `teams`. */
  readonly group: string
  /** `team`. */
  readonly noun: string
  /** Of ids. */
  readonly prefix: string
  /** What may be written, but for `id` and `organisation`. */
  readonly shape: z.ZodRawShape
  /** What is told, but for what every record has. */
  readonly answer: z.ZodRawShape
  /** Name of the schema in the document: `Team`. */
  readonly title: string
  readonly read: Role
  readonly write: Role
  /** `tenant`: the rights are `tenant.read` and `tenant.write`. */
  readonly rights: string
  /** Only for those who belong to no organisation. */
  readonly wide?: boolean
  /** Install-wide admins may choose the id. */
  readonly named?: boolean
  /** Each is its own organisation. */
  readonly self?: boolean
  /** Checks what no schema can see, and completes it. `organisation`: whose it is or will be. */
  prepare?(
    data: Data,
    organisation: string | undefined,
    context: Context,
  ): Promise<{ readonly data: Data; readonly organisation?: string | undefined }>
  /** Throws `conflict` while something depends on it. */
  mayRemove?(record: StoredRecord, context: Context): Promise<void>
  shown(record: StoredRecord): Record<string, unknown>
  /** Entries that are no records, before the first page. */
  before?(context: Context): readonly Record<string, unknown>[]
}

const chosenId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, { error: 'not an id\nuse up to 63 small letters, digits, dots, dashes and underscores' })

/** Throws `not-found` also for what another organisation owns. */
export async function owned(
  records: RecordStore,
  kind: RecordKind,
  id: string,
  organisation: string | undefined,
  noun: string,
): Promise<StoredRecord> {
  const record = await records.get(kind, id)
  if (!record || !sees(organisation, record.organisation)) throw notFound(noun)
  return record
}

export function collection(spec: CollectionSpec): Route[] {
  const { kind, group, noun, prefix, shape, title, read, write, wide = false, named = false, self = false } = spec
  const item = z
    .object({
      id: z.string(),
      ...(!self && { organisation: z.string().optional() }),
      ...spec.answer,
      version: z.int().describe('Counts up with every change.'),
      createdAt: time,
      updatedAt: time,
    })
    .meta({ id: title })
  const body = z
    .strictObject({
      ...(named && { id: chosenId.optional().describe('Of your choice, for those who belong to no organisation. Absent: made.') }),
      ...(!self && { organisation: idSchema.optional().describe("Whose it is. Absent: the caller's own.") }),
      ...shape,
    })
    .meta({ id: `${title}Input` })
  const patch = patchOf(z.strictObject(shape)).meta({ id: `${title}Patch` })
  const changed = `${noun.replace(' ', '-')}`

  const shown = (record: StoredRecord): z.input<typeof item> => ({
    id: record.id,
    organisation: record.organisation,
    ...spec.shown(record),
    version: record.version,
    createdAt: timeOf(record.createdAt),
    updatedAt: timeOf(record.updatedAt),
  })
  const prepared = async (data: Data, organisation: string | undefined, context: Context) =>
    (await spec.prepare?.(data, organisation, context)) ?? { data, organisation }

  return [
    route({
      name: `${group}.list`,
      method: 'GET',
      path: `/${group}`,
      summary: `Every ${noun}, in the order of ids.`,
      action: `${changed}.list`,
      role: read,
      right: `${spec.rights}.read`,
      query: tenantPageQuery,
      answer: pageOf(item),
      async handle(context) {
        const { after, limit, organisation: asked } = context.query as z.output<typeof tenantPageQuery>
        const organisation = context.organisation ?? asked
        if (asked !== undefined && asked !== organisation) return { data: [] }
        const page = await context.services.records.list(kind, { organisation, after, limit })
        const first = after === undefined && organisation === undefined ? (spec.before?.(context as Context) ?? []) : []
        return { data: [...(first as z.input<typeof item>[]), ...page.data.map(shown)], next: page.next }
      },
    }),
    route({
      name: `${group}.create`,
      method: 'POST',
      path: `/${group}`,
      summary: `Makes ${article(noun)}.`,
      action: `${changed}.create`,
      role: write,
      right: `${spec.rights}.write`,
      wide,
      body,
      answer: item,
      async handle(context) {
        const { id: chosen, organisation: asked, ...data } = context.body as unknown as { id?: string; organisation?: string } & Data
        if (chosen !== undefined && context.organisation !== undefined)
          throw new GatewayError('forbidden', 'Ids are chosen by those who belong to no organisation: leave it out.', { path: 'id' })
        const organisation = self ? undefined : await organisationFor(asked, context as Context)
        const id = chosen ?? newId(prefix)
        const ready = await prepared(data, organisation, context as Context)
        const record = await context.services.records.create({
          kind,
          id,
          organisation: self ? id : (ready.organisation ?? organisation),
          data: ready.data,
        })
        context.note({ subject: `${changed}/${id}`, organisation: record.organisation })
        return shown(record)
      },
    }),
    route({
      name: `${group}.get`,
      method: 'GET',
      path: `/${group}/{id}`,
      summary: `One ${noun}.`,
      action: `${changed}.read`,
      role: read,
      right: `${spec.rights}.read`,
      answer: item,
      handle: async ({ services, organisation, param }) => shown(await owned(services.records, kind, param('id'), organisation, noun)),
    }),
    route({
      name: `${group}.update`,
      method: 'PATCH',
      path: `/${group}/{id}`,
      summary: `Changes the members that are given; null takes one away.`,
      action: `${changed}.update`,
      role: write,
      right: `${spec.rights}.write`,
      wide,
      versioned: true,
      body: patch,
      answer: item,
      async handle(context) {
        const { version: _, ...change } = context.body as Record<string, unknown>
        const record = await changing(
          context.ifMatch,
          () => owned(context.services.records, kind, context.param('id'), context.organisation, noun),
          async (before) => {
            const { data } = await prepared(patched(before.data, change), before.organisation, context as Context)
            const { id, version, lookup, organisation } = before
            return context.services.records.update({ kind, id, version, lookup, organisation, data })
          },
        )
        context.note({ subject: `${changed}/${record.id}`, organisation: record.organisation })
        return shown(record)
      },
    }),
    route({
      name: `${group}.remove`,
      method: 'DELETE',
      path: `/${group}/{id}`,
      summary: `Deletes ${article(noun)}.`,
      action: `${changed}.delete`,
      role: write,
      right: `${spec.rights}.write`,
      wide,
      async handle(context) {
        const { services, organisation, param } = context
        const record = await owned(services.records, kind, param('id'), organisation, noun)
        await spec.mayRemove?.(record, context as unknown as Context)
        if (!(await services.records.remove(kind, record.id))) throw notFound(noun)
        context.note({ subject: `${changed}/${record.id}`, organisation: record.organisation })
        return undefined
      },
    }),
  ]
}

const TRIES = 4

/** Reads, changes and writes; again when somebody else was faster, unless the caller meant one version only. */
export async function changing<Item extends { readonly version: number }>(
  ifMatch: number | undefined,
  read: () => Promise<Item>,
  write: (before: Item) => Promise<Item>,
): Promise<Item> {
  for (let tries = 1; ; tries++) {
    const before = await read()
    if (ifMatch !== undefined && before.version !== ifMatch)
      throw new GatewayError('conflict', `Somebody else changed it meanwhile: it has version ${before.version} by now, not ${ifMatch}.`, {
        path: 'version',
      })
    try {
      return await write(before)
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.id !== 'conflict' || ifMatch !== undefined || tries === TRIES) throw thrown
    }
  }
}

/** Whose a new thing is to be. What another organisation is called is nobody's business: it is as if it were not there. */
export async function organisationFor(asked: string | undefined, { organisation: own, services }: Context): Promise<string | undefined> {
  if (asked === undefined || asked === own) return own
  const exists = own === undefined && (await services.records.get('organisation', asked)) !== undefined
  if (!exists)
    throw new GatewayError(
      'invalid-request',
      `organisation: there is no organisation ${asked}: create it with POST /admin/v1/organisations`,
      {
        path: 'organisation',
      },
    )
  return asked
}

const article = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
