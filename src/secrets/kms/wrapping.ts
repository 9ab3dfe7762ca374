/** Master keys through a KMS: opened once and kept in memory; what the KMS says is believed for a moment, so that nobody waits for it twice. */
import type { KmsReference } from '../../core/master-key-reference.ts'
import { parseKmsReference } from '../../core/master-key-reference.ts'
import { type MasterKey, masterKeyFrom } from '../master-key.ts'
import { SecretError } from '../source.ts'
import type { Kms, WrappedForm } from './kms.ts'

export interface Wrapping {
  /** Rejects with a SecretError, too, when the KMS would not give back what it wrapped. */
  wrap(reference: string, key: MasterKey): Promise<WrappedForm>
  /** The master key of that id. Rejects with `unreachable` when time may help, else with `refused` or `malformed`. */
  unwrap(reference: string, form: WrappedForm, id: string): Promise<MasterKey>
  close(): Promise<void>
}

export interface WrappingOptions {
  open(reference: KmsReference): Promise<Kms>
  /** What was opened before: a reload does not need the KMS again. */
  readonly opened: Map<string, MasterKey>
  /** So long a failure is believed. Milliseconds. */
  readonly believedMs: number
}

export function createWrapping({ open, opened, believedMs }: WrappingOptions): Wrapping {
  const services = new Map<string, Promise<Kms>>()
  const failures = new Map<string, { readonly error: SecretError; readonly until: number }>()

  async function kmsOf(reference: string): Promise<Kms> {
    const parsed = parseKmsReference(reference)
    if (!parsed) throw new SecretError('malformed', 'this is no key of a KMS', 'correct `secrets.masterKey`')
    if ('fault' in parsed) throw new SecretError(parsed.fault, parsed.message, parsed.remedy)
    let service = services.get(reference)
    if (!service) {
      service = open(parsed)
      // What could not be opened is tried again.
      service.catch(() => services.delete(reference))
      services.set(reference, service)
    }
    return await service
  }

  /** `what`: the same question. Errors say of which key. */
  async function believing<T>(
    what: string,
    reference: string,
    remedy: (needs: string) => string,
    ask: (kms: Kms) => Promise<T>,
  ): Promise<T> {
    const failure = failures.get(what)
    if (failure && performance.now() < failure.until) throw failure.error
    failures.delete(what)
    let needs: string | undefined
    try {
      const kms = await kmsOf(reference)
      needs = kms.needs
      return await ask(kms)
    } catch (error) {
      const told = toldOf(error, reference, needs === undefined ? undefined : remedy(needs))
      failures.set(what, { error: told, until: performance.now() + believedMs })
      throw told
    }
  }

  async function unwrap(reference: string, form: WrappedForm, id: string): Promise<MasterKey> {
    const what = JSON.stringify([reference, id, form.by, form.text])
    const known = opened.get(what)
    if (known) return known
    const by = form.by === '' ? '' : ` (${form.by})`
    const remedy = (needs: string): string =>
      `this gateway has to ${needs}; if another key${by} wrapped the master key, name that one under \`secrets.previousMasterKeys\``
    const key = await believing(what, reference, remedy, async (kms) => {
      const bytes = await kms.unwrap(form, id)
      const found = bytes.length === 32 ? masterKeyFrom(bytes) : undefined
      // A key that somebody put in its place has another id.
      if (found?.id !== id)
        throw new SecretError(
          'refused',
          'what the KMS unwrapped is not the master key that it is said to be',
          'put the record back from a backup',
        )
      return found
    })
    opened.set(what, key)
    return key
  }

  return {
    async wrap(reference, key) {
      const remedy = (needs: string): string => `this gateway has to ${needs}`
      const form = await believing(`wrap ${reference}`, reference, remedy, (kms) => kms.wrap(key.bytes, key.id))
      // What only goes in would be lost with the next start.
      await unwrap(reference, form, key.id)
      return form
    },
    unwrap,
    async close() {
      for (const service of await Promise.allSettled(services.values())) if (service.status === 'fulfilled') service.value.close?.()
    },
  }
}

/** Not the secret is missing, but what opens it: `unset` would take secrets away. */
function toldOf(error: unknown, reference: string, remedy: string | undefined): SecretError {
  const of = `the master key (${reference})`
  if (!(error instanceof SecretError)) return new SecretError('unreachable', `${of}: the KMS could not be asked`, 'look at its state')
  const { fault, message } = error
  if (fault === 'unreachable')
    return new SecretError(
      fault,
      `${of}: ${message}`,
      `${error.remedy}; it is asked again, and stored secrets stay closed until it answers`,
    )
  if (remedy !== undefined && fault === 'unset' && / answered 404/.test(message))
    return new SecretError('refused', `${of}: ${message}`, `check the name of the key; ${remedy}`)
  // An answer of the KMS: what it may be is known. Else it is a setting that is wrong.
  if (fault === 'refused' && remedy !== undefined) return new SecretError(fault, `${of}: ${message}`, remedy)
  return new SecretError(fault === 'refused' ? 'refused' : 'malformed', `${of}: ${message}`, error.remedy)
}
