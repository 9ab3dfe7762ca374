/**
 * Envelope encryption: every value under a data key of its own, every data key wrapped by the master key. AES-256-GCM both
 * times; what a record is for is authenticated with it, so that nothing can be put into another record's place.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Json } from '../core/json.ts'
import type { MasterKey } from './master-key.ts'
import { SecretError } from './source.ts'

/** Base64; the tag stands behind the text. */
export interface Sealed {
  readonly iv: string
  readonly text: string
}

export interface Envelope {
  /** Counts up from 1 with every value and every data key. */
  readonly revision: number
  readonly value: Sealed
  readonly key: Sealed & { readonly master: string }
}

/** What an envelope belongs to. */
export interface Place {
  readonly name: string
  readonly organisation: string | undefined
}

const TAG_BYTES = 16

/** Members cannot run into each other: JSON keeps them apart. */
const bound = (use: string, { name, organisation }: Place, revision: number, master = ''): Buffer =>
  Buffer.from(JSON.stringify(['signalbox', 1, use, name, organisation ?? null, revision, master]))

export function sealEnvelope(value: string, place: Place, revision: number, master: MasterKey): Envelope {
  const dataKey = randomBytes(32)
  try {
    return {
      revision,
      value: seal(dataKey, Buffer.from(value), bound('value', place, revision)),
      key: { ...seal(master.bytes, dataKey, bound('data-key', place, revision, master.id)), master: master.id },
    }
  } finally {
    dataKey.fill(0)
  }
}

export function openEnvelope(envelope: Envelope, place: Place, master: MasterKey): string {
  const dataKey = dataKeyOf(envelope, place, master)
  try {
    return open(dataKey, envelope.value, bound('value', place, envelope.revision)).toString('utf8')
  } finally {
    dataKey.fill(0)
  }
}

/** The same data key under another master key; the value is not touched. */
export function rewrapEnvelope(envelope: Envelope, place: Place, from: MasterKey, to: MasterKey): Envelope {
  const dataKey = dataKeyOf(envelope, place, from)
  try {
    const key = seal(to.bytes, dataKey, bound('data-key', place, envelope.revision, to.id))
    return { ...envelope, key: { ...key, master: to.id } }
  } finally {
    dataKey.fill(0)
  }
}

const dataKeyOf = ({ revision, key }: Envelope, place: Place, master: MasterKey): Buffer =>
  open(master.bytes, key, bound('data-key', place, revision, key.master))

/** A master key under its successor, for as long as a rotation takes. */
export const sealMaster = (old: MasterKey, by: MasterKey): Sealed => seal(by.bytes, old.bytes, masterBound(old.id, by.id))
export const openMaster = (sealed: Sealed, id: string, by: MasterKey): MasterKey => ({
  id,
  bytes: open(by.bytes, sealed, masterBound(id, by.id)),
})
const masterBound = (old: string, by: string): Buffer => Buffer.from(JSON.stringify(['signalbox', 1, 'master', old, by]))

function seal(key: Buffer, plain: Buffer, additional: Buffer): Sealed {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(additional)
  const text = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { iv: iv.toString('base64'), text: text.toString('base64') }
}

function open(key: Buffer, { iv, text }: Sealed, additional: Buffer): Buffer {
  const bytes = Buffer.from(text, 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: TAG_BYTES }).setAAD(additional)
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch {
    throw new SecretError(
      'refused',
      'a stored secret does not fit its place: it was altered, or moved from another record',
      'put the secret again, and look at who may write to the database',
    )
  }
}

export const envelopeJson = ({ revision, value, key }: Envelope): Record<string, Json> => ({
  revision,
  value: { iv: value.iv, text: value.text },
  key: { iv: key.iv, text: key.text, master: key.master },
})

export function envelopeOf(data: Readonly<Record<string, Json>>): Envelope {
  const { revision, value, key } = data as Partial<Record<keyof Envelope, unknown>>
  if (typeof revision === 'number' && isSealed(value) && isSealed(key) && 'master' in key && typeof key.master === 'string')
    return { revision, value, key: { iv: key.iv, text: key.text, master: key.master } }
  throw new SecretError('refused', 'a stored secret is not readable as one', 'put the secret again')
}

export function isSealed(value: unknown): value is Sealed {
  if (typeof value !== 'object' || value === null) return false
  const { iv, text } = value as Partial<Sealed>
  return typeof iv === 'string' && typeof text === 'string'
}
