/** Certificate, key and authorities: read from where the configuration says, and tried out before they are used. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsConfig } from '../../config/schema-server.ts'
import { resolveSecret, type SecretSources } from '../../config/secrets.ts'

export interface Material {
  /** As `tls` takes it. */
  readonly options: Required<Pick<SecureContextOptions, 'cert' | 'key' | 'minVersion'>> & Pick<SecureContextOptions, 'passphrase' | 'ca'>
  /** For the log: `gateway.example, until 2031-01-01`. */
  readonly told: string
  /** Something that the operator should know although it can be used. */
  readonly warning: string | undefined
}

/** What cannot be served with, in one line: where it is written, what is wrong, what to do. */
export class MaterialError extends Error {
  override readonly name = 'MaterialError'
  /** `server.tls.key` */
  readonly path: string
  readonly what: string
  readonly remedy: string

  constructor(path: string, what: string, remedy: string) {
    super(`${path}: ${what} → ${remedy}`)
    this.path = path
    this.what = what
    this.remedy = remedy
  }
}

export type MaterialSources = Pick<SecretSources, 'env' | 'readFile'>

/** The file behind a reference; undefined when it is none. */
export function fileOf(reference: string): string | undefined {
  if (reference.startsWith('file:')) return reference.slice('file:'.length)
  return reference.startsWith('env:') ? undefined : reference
}

const referenceOf = (written: string): string => (/^(env|file):/.test(written) ? written : `file:${written}`)

/** Throws MaterialError. */
export function readMaterial(config: TlsConfig, sources: MaterialSources, now = Date.now()): Material {
  const read = (member: 'cert' | 'key' | 'passphrase' | 'ca', written: string): string => {
    const found = resolveSecret(referenceOf(written), sources)
    if ('value' in found) return found.value
    throw problem(member, found.message, member === 'passphrase' ? found.remedy : found.remedy.replace('the credential', 'it, in PEM,'))
  }
  const cert = read('cert', config.cert)
  const key = read('key', config.key)
  const passphrase = config.passphrase === undefined ? undefined : read('passphrase', config.passphrase)
  const ca = config.ca === undefined ? undefined : read('ca', config.ca)

  const [leaf] = certificatesOf('cert', config.cert, cert)
  if (ca !== undefined && config.ca !== undefined) certificatesOf('ca', config.ca, ca)
  const privateKey = privateKeyOf(config.key, key, passphrase)
  if (!leaf?.checkPrivateKey(privateKey))
    throw problem(
      'key',
      `${nameOf(config.key)} is not the key of the certificate in ${nameOf(config.cert)}`,
      'use the key that the certificate was made for, and put the own certificate before intermediate ones',
    )
  const options = {
    cert,
    key,
    minVersion: config.minVersion === '1.3' ? ('TLSv1.3' as const) : ('TLSv1.2' as const),
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca }),
  }
  try {
    createSecureContext(options)
  } catch (error) {
    throw problem('cert', `${nameOf(config.cert)} cannot be served with (${reasonOf(error)})`, 'have it issued anew')
  }
  return {
    options,
    told: `${subjectOf(leaf)}, until ${leaf.validToDate.toISOString().slice(0, 10)}`,
    warning: warningOf(config, leaf, now),
  }
}

function certificatesOf(member: 'cert' | 'ca', reference: string, text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g)
  if (!blocks)
    throw problem(
      member,
      `${nameOf(reference)} holds no certificate`,
      /PRIVATE KEY-----/.test(text)
        ? 'it holds a private key: `cert` and `key` may be the wrong way round'
        : 'write the path of a file in PEM (`-----BEGIN CERTIFICATE-----`)',
    )
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (error) {
    throw problem(member, `${nameOf(reference)} holds a certificate that cannot be read (${reasonOf(error)})`, 'have it issued anew')
  }
}

function privateKeyOf(reference: string, text: string, passphrase: string | undefined): ReturnType<typeof createPrivateKey> {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw problem('key', `${nameOf(reference)} holds no private key`, 'write the path of a file in PEM (`-----BEGIN PRIVATE KEY-----`)')
  try {
    return createPrivateKey({ key: text, ...(passphrase !== undefined && { passphrase }) })
  } catch (error) {
    // The library's words name neither the key nor what opens it.
    const locked = /ENCRYPTED/.test(text)
    throw problem(
      locked ? 'passphrase' : 'key',
      locked
        ? `${nameOf(reference)} is locked, and ${passphrase === undefined ? 'nothing opens it' : 'this does not open it'}`
        : `${nameOf(reference)} holds a private key that cannot be read (${reasonOf(error)})`,
      locked ? 'write what opens it: `passphrase: "env:NAME"`' : 'write it anew, in PEM',
    )
  }
}

function warningOf({ cert }: TlsConfig, { validFromDate, validToDate }: X509Certificate, now: number): string | undefined {
  if (validToDate.getTime() < now)
    return `${nameOf(cert)} has expired on ${validToDate.toISOString()}: callers will refuse it → have it renewed`
  if (validFromDate.getTime() > now)
    return `${nameOf(cert)} is valid only from ${validFromDate.toISOString()} on: callers will refuse it → check this machine's clock`
  return undefined
}

const problem = (member: string, message: string, remedy: string): MaterialError =>
  new MaterialError(`server.tls.${member}`, message, remedy)

const nameOf = (reference: string): string => fileOf(reference) ?? reference
const reasonOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unreadable')
const subjectOf = ({ subject, subjectAltName }: X509Certificate): string =>
  /^CN=(.+)$/m.exec(subject ?? '')?.[1] ?? /DNS:([^,\s]+)/.exec(subjectAltName ?? '')?.[1] ?? 'a certificate without a name'
