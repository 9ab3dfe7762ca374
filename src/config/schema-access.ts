/** Who may call: keys, tokens, JWTs of other issuers, and where callers come from. */
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { parseRange } from '../core/address.ts'
import { roles } from '../core/principal.ts'
import { isProblem, parseSecretReference } from '../core/secret-reference.ts'
import { dimensions } from '../core/written-rules.ts'
import { budgets, limits } from './schema-money.ts'
import { duration, longDuration } from './schema-parts.ts'

const name = z.string().min(1).max(200)
const names = z.array(name)

const range = z.string().refine((text) => parseRange(text) !== undefined, {
  error: 'neither an address nor a range\nwrite "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"',
})

/** Keys that anybody on the way could have replaced let anybody in. */
const url = z.string().refine(isSafeUrl, { error: 'not an https URL\nwrite `https://…`; plain http is for loopback only' })

const scopes = {
  models: names.optional().describe('Names it may ask for: routes, `provider/model`, `provider/*`. Absent: all; empty: none.'),
  tiers: names.optional().describe('Tiers it may use.'),
  endpoints: names.optional().describe('What it may do: `chat`, `count`, `models`, `explain`, `admin`.'),
  tools: names.optional().describe('MCP tools it may call, as `server/tool` or `server/*`.'),
  ips: z.array(range).optional().describe('Addresses and ranges it may be used from.'),
}

const by = z.enum(dimensions).default('key').describe('What has a count of its own. `key`: each holder of the plan.')

const plan = z
  .strictObject({
    tier: name.optional().describe('The tier of its holders, where nothing else says.'),
    ...scopes,
    limits: z.array(limits.unwrap().element.extend({ by })).default([]).describe('Limits on rates.'),
    budgets: z.array(budgets.unwrap().element.extend({ by })).default([]).describe('Limits on spending.'),
  })
  .describe('One plan.')

const claim = name.optional()
const claims = z
  .strictObject({
    organisation: claim.describe('The organisation.'),
    team: claim.describe('The team.'),
    project: claim.describe('The project.'),
    user: name.default('sub').describe('The user.'),
    tier: claim.describe('The tier.'),
    role: claim.describe('The role in the admin API; a list is fine, the strongest holds.'),
    tags: claim.describe('Tags for every call.'),
    models: claim.describe('Names it may ask for.'),
    plans: claim.describe('Names of `access.plans`.'),
  })
  .prefault({})
  .describe('Which claim says what: its name, or a path with dots (`realm_access.roles`). What is not named is not read.')

/** Those with a shared secret are not among them. */
export const jwtAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const

const issuer = z
  .strictObject({
    issuer: url.describe('Exactly as tokens say it in `iss`.'),
    audience: z
      .union([name, z.array(name).min(1)])
      .describe('What tokens for this gateway say in `aud`. Others of the same issuer are refused.'),
    jwksUrl: url.optional().meta({ description: 'Where its public keys are.', implied: 'what its discovery document says' }),
    algorithms: z
      .array(z.enum(jwtAlgorithms))
      .min(1)
      .default([...jwtAlgorithms])
      .describe('Signatures that are accepted.'),
    clockTolerance: duration('30s').describe('How far clocks may differ.'),
    claims,
    organisation: name.optional().describe('Everyone from this issuer belongs to it, whatever a token says.'),
    team: name.optional().describe('The same, for the team.'),
    project: name.optional().describe('The same, for the project.'),
    tier: name.optional().describe('The same, for the tier.'),
    ...scopes,
    plans: names.default([]).describe('Plans that hold for everyone from this issuer.'),
    roles: z
      .record(name, z.enum(roles))
      .optional()
      .describe('The role that a value of the role claim stands for. Absent: values that are names of roles count, `owner` excepted.'),
  })
  .describe('One issuer of JWTs.')

const destinationHelp =
  'not a place where keys can be put\nwrite `file:/…/{id}`, `vault:MOUNT/…/{id}#key`, `aws:sm/…/{id}`, `gcp:PROJECT/…{id}` or `k8s:NAME#{id}`, with `{id}` where the id of the key is to stand'

export const access = z
  .strictObject({
    mode: z.enum(['open', 'keys']).optional().meta({
      description: 'Who may call: anyone (`open`, on loopback only) or holders of a gateway key.',
      implied: '`open` on loopback, else `keys`',
    }),
    stale: duration('10m').describe(
      'How long known keys are gone by while the store cannot be reached. Unknown ones are 503 meanwhile, never 401.',
    ),
    trustedProxies: z
      .array(range)
      .default([])
      .describe("Proxies whose word on the caller's address is taken. Headers from elsewhere are not read."),
    proxyHeader: z
      .enum(['x-forwarded-for', 'forwarded'])
      .default('x-forwarded-for')
      .describe('The header that they write. Only one is read, since a proxy lets the other one through as its caller wrote it.'),
    ipClasses: z.record(name, z.array(range)).optional().meta({
      description: 'Classes of addresses, by name. The first that fits holds, else `external`.',
      implied: '`internal`: loopback, private and link-local networks',
    }),
    tokens: z
      .strictObject({
        ttl: duration('15m').describe('How long a token lives when nobody says.'),
        maxTtl: duration('24h').describe('The longest that may be asked for.'),
      })
      .prefault({})
      .describe('Short-lived tokens that keys and JWTs are exchanged for.'),
    rotation: z
      .strictObject({
        to: z
          .string()
          .refine(isDestination, { error: destinationHelp })
          .describe(
            'Where the successor of a key is put, with `{id}` for the id of the key: a file, with its whole path, or a reference to a secret in Vault (KV), AWS, Google Cloud or Kubernetes.',
          ),
        overlap: longDuration.default('24h').describe('So long a key works on after its successor was put there.'),
      })
      .optional()
      .describe(
        'Keys with `rotateEvery` are given another secret by the gateway itself, and their holders find it here. Absent: no key is.',
      ),
    jwt: z.array(issuer).default([]).describe('Issuers whose JWTs are let in.'),
    plans: z.record(name, plan).default({}).describe('Limits, budgets and scopes under a name, for claims and issuers to refer to.'),
  })
  .prefault({})
  .describe('Who may call the gateway.')

export type AccessInput = z.output<typeof access>

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
}

function isDestination(text: string): boolean {
  const reference = parseSecretReference(text.replaceAll('{id}', 'key_0'))
  if (!text.includes('{id}') || !reference || isProblem(reference)) return false
  const { scheme, name } = reference
  // Members of one value that are set at the same time would overwrite each other; Kubernetes merges them.
  if (scheme !== 'k8s' && !name.includes('key_0')) return false
  switch (scheme) {
    case 'file':
      return isAbsolute(name)
    case 'vault':
      return name.includes('/')
    case 'gcp':
      // A version that is there does not change.
      return !/@|\/versions\//.test(name)
    default:
      return scheme === 'aws' || scheme === 'k8s'
  }
}
