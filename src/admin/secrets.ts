/** `/secrets`: credentials in the built-in store. Values go in and never come out. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { masterKeyPattern, masterKeyRemedy } from '../core/master-key-reference.ts'
import { notFound } from './access.ts'
import { organisationFor } from './collection.ts'
import type { ManagedSecret, SecretAdmin } from './parts.ts'
import { type Context, route } from './route.ts'
import { id, text, time, timeOf } from './schema.ts'

const nameHelp = 'not a name\nuse up to 100 letters, digits, dots, dashes and underscores'
const referenceHelp = `not a reference\n${masterKeyRemedy}`
const name = z.string({ error: nameHelp }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, { error: nameHelp })
const value = text(64_000).describe('The credential. It can be replaced, and never read.')
const owner = id.optional().describe("Whose it is. Absent: the caller's own, or the installation's.")

const secret = z
  .object({
    name: z.string().describe('What `secret:NAME` refers to.'),
    organisation: z.string().optional(),
    version: z.int().describe('Counts up with every new value.'),
    createdAt: time,
    valueAt: time.describe('When it got its value.'),
    keyAt: time.describe('When it was encrypted with its present data key.'),
    masterKey: z.string().describe('Id of the master key that wraps the data key.'),
  })
  .meta({ id: 'Secret' })

const shown = ({ createdAt, valueAt, keyAt, ...rest }: ManagedSecret): z.input<typeof secret> => ({
  ...rest,
  createdAt: timeOf(createdAt),
  valueAt: timeOf(valueAt),
  keyAt: timeOf(keyAt),
})

function vaultOf({ services }: Context): SecretAdmin {
  if (!services.secrets)
    throw new GatewayError('not-supported', 'The built-in store of secrets is off: set `secrets.masterKey` in the configuration.')
  return services.secrets
}

/** Those of one owner: an organisation's admin means its own, the others those of the installation unless they say whose. */
async function find(context: Context, wanted: string, organisation: string | undefined): Promise<ManagedSecret | undefined> {
  const all = await vaultOf(context).list(organisation)
  return all.find((one) => one.name === wanted && one.organisation === organisation)
}

async function existing(context: Context, organisation: string | undefined): Promise<ManagedSecret> {
  const found = await find(context, context.param('name'), organisation)
  if (!found) throw notFound('secret')
  return found
}

const ownerQuery = z.strictObject({ organisation: owner })
/** What another organisation has is not there. */
function ownerOf(context: Context): string | undefined {
  const { organisation: asked } = context.query as z.output<typeof ownerQuery>
  if (context.organisation !== undefined && asked !== undefined && asked !== context.organisation) throw notFound('secret')
  return context.organisation ?? asked
}

export const secrets = [
  route({
    name: 'secrets.list',
    method: 'GET',
    path: '/secrets',
    summary: 'Names and ages of the stored secrets.',
    action: 'secret.list',
    role: 'operator',
    right: 'secret.read',
    query: ownerQuery,
    answer: z.object({ data: z.array(secret) }),
    async handle(context) {
      const plain = context as unknown as Context
      const { organisation: asked } = context.query
      if (context.organisation !== undefined && asked !== undefined && asked !== context.organisation) return { data: [] }
      return { data: (await vaultOf(plain).list(context.organisation ?? asked)).map(shown) }
    },
  }),
  route({
    name: 'secrets.create',
    method: 'POST',
    path: '/secrets',
    summary: 'Stores a secret under a new name.',
    action: 'secret.create',
    role: 'admin',
    right: 'secret.write',
    body: z.strictObject({ name, value, organisation: owner }).meta({ id: 'SecretInput' }),
    sealed: ['value'],
    answer: secret,
    async handle(context) {
      const plain = context as Context
      const { name: wanted, value: text, organisation: asked } = context.body
      const keeper = vaultOf(plain)
      const organisation = await organisationFor(asked, plain)
      if (await find(plain, wanted, organisation))
        throw new GatewayError('conflict', `There is a secret ${wanted} already: give it a new value with PATCH.`, { path: 'name' })
      const stored = await keeper.put(wanted, text, organisation)
      context.note({ subject: `secret/${wanted}`, organisation })
      return shown(stored)
    },
  }),
  route({
    name: 'secrets.get',
    method: 'GET',
    path: '/secrets/{name}',
    summary: 'Name and age of one secret.',
    action: 'secret.read',
    role: 'operator',
    right: 'secret.read',
    query: ownerQuery,
    answer: secret,
    async handle(context) {
      const plain = context as unknown as Context
      return shown(await existing(plain, ownerOf(plain)))
    },
  }),
  route({
    name: 'secrets.rotate',
    method: 'PATCH',
    path: '/secrets/{name}',
    summary: 'Gives a secret a new value. Calls that run keep the one before.',
    action: 'secret.rotate',
    role: 'admin',
    right: 'secret.write',
    query: ownerQuery,
    body: z.strictObject({ value }).meta({ id: 'SecretPatch' }),
    sealed: ['value'],
    answer: secret,
    async handle(context) {
      const plain = context as unknown as Context
      const { name: wanted, organisation } = await existing(plain, ownerOf(plain))
      const stored = await vaultOf(plain).put(wanted, context.body.value, organisation)
      context.note({ subject: `secret/${wanted}`, organisation })
      return shown(stored)
    },
  }),
  route({
    name: 'secrets.remove',
    method: 'DELETE',
    path: '/secrets/{name}',
    summary: 'Deletes a secret.',
    action: 'secret.delete',
    role: 'admin',
    right: 'secret.write',
    query: ownerQuery,
    async handle(context) {
      const plain = context as unknown as Context
      const { name: wanted, organisation } = await existing(plain, ownerOf(plain))
      if (!(await vaultOf(plain).remove(wanted, organisation))) throw notFound('secret')
      context.note({ subject: `secret/${wanted}`, organisation })
      return undefined
    },
  }),
  route({
    name: 'secrets.rotateMaster',
    method: 'POST',
    path: '/master-key/rotate',
    summary: 'Wraps every secret anew, under another master key.',
    action: 'secret.rotate-master',
    role: 'owner',
    right: 'setting.write',
    wide: true,
    body: z
      .strictObject({
        reference: z
          .string({ error: referenceHelp })
          .regex(masterKeyPattern, { error: referenceHelp })
          .describe(
            'Where every replica reads the new master key: `env:NAME`, `file:PATH`, or the key of a KMS (`aws-kms:…`, `gcp-kms:…`, `azure-kms:…`, `vault-transit:…`). A KMS wraps the master key in force as it is, where that was made for a KMS.',
          ),
        fresh: z.boolean().optional().describe('With the key of a KMS: a new master key in any case.'),
      })
      .meta({ id: 'MasterKeyRotation' }),
    // Who mistakes it for a field for the key itself writes the key there.
    sealed: ['reference'],
    status: 200,
    answer: z
      .object({
        changed: z.boolean().describe('False: it was this key already.'),
        wrapped: z.boolean().describe('The KMS wrapped the same master key anew: nothing else had to be.'),
        rewrapped: z.int(),
        failed: z.int().describe('Still under a key that is not at hand.'),
      })
      .meta({ id: 'MasterKeyRotated' }),
    async handle(context) {
      context.note({ subject: 'master-key', detail: { reference: context.body.reference } })
      const { reference, fresh } = context.body
      const { changed, wrapped, rewrapped, failed } = await vaultOf(context as Context).rotateMaster(reference, fresh)
      return { changed, wrapped, rewrapped, failed }
    },
  }),
]
