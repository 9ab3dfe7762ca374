/** TLS on the gateway's own port. */
import { z } from 'zod'

export const clientDemands = ['none', 'request', 'require'] as const
export type ClientDemand = (typeof clientDemands)[number]

export const tlsVersions = ['1.2', '1.3'] as const
export type TlsVersion = (typeof tlsVersions)[number]

const help = 'not a file\nwrite the path of a file in PEM: `./tls/cert.pem`, `file:/etc/tls/cert.pem`, or `env:NAME`'
/** The text is never repeated: somebody may have written the key itself here. */
const pem = z
  .string({ error: help })
  .min(1, { error: help })
  .refine((text) => !text.includes('-----BEGIN'), {
    error: 'holds the certificate or key itself\nput it into a file, and write the path of that file here',
  })
  .refine((text) => !/^(secret|vault|aws|gcp|azure|k8s):/.test(text), {
    error: 'can be read only once the gateway runs\nwrite a path, `file:PATH` or `env:NAME` here',
  })

const passphraseHelp = 'not a secret reference\nwrite `env:NAME` or `file:PATH`'

export const tls = z
  .strictObject({
    cert: pem.describe('The certificate, with the intermediate ones behind it: a file in PEM, as a path or `file:PATH`.'),
    key: pem.describe('Its private key: a file in PEM, as a path or `file:PATH`, or `env:NAME`.'),
    passphrase: z
      .string({ error: passphraseHelp })
      .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, { error: passphraseHelp })
      .optional()
      .describe('What opens the private key, as a reference: `env:NAME`, `file:PATH`.'),
    ca: pem
      .optional()
      .describe("Authorities that callers' certificates must come from: a file in PEM. Needed for `clients`, and used for that only."),
    clients: z
      .enum(clientDemands)
      .default('none')
      .describe(
        "Callers' own certificates: not asked for (`none`), asked for (`request`), or connections without a valid one refused (`require`).",
      ),
    minVersion: z.enum(tlsVersions).default('1.2').describe('The oldest version of TLS that is spoken.'),
  })
  .check((context) => {
    const { clients, ca } = context.value
    if (clients !== 'none' && ca === undefined)
      context.issues.push({
        code: 'custom',
        input: undefined,
        path: ['ca'],
        message: "is missing: it says whose certificates callers may show\nadd `ca`: the authorities' certificates, a file in PEM",
      })
    if (clients === 'none' && ca !== undefined)
      context.issues.push({
        code: 'custom',
        input: undefined,
        path: ['ca'],
        message:
          'is of no use: callers are not asked for certificates\nset `clients: require`, or leave it out (intermediate certificates belong into `cert`)',
      })
  })
  .optional()
  .describe('Serve HTTPS in place of HTTP.')

export const http2 = z.boolean().default(true).describe('With `tls`: speak HTTP/2 with callers that offer it.')

/** Where certificate and key lie, as written; read when the server starts, on a reload, and when the files change. */
export interface TlsConfig {
  readonly cert: string
  readonly key: string
  readonly passphrase?: string | undefined
  readonly ca?: string | undefined
  readonly clients: ClientDemand
  readonly minVersion: TlsVersion
  readonly http2: boolean
}
