/** `secret:NAME`: the built-in store. Values are encrypted before they reach the database, and never come out by any API. */
import { GatewayError } from '../core/error.ts'
import { newId } from '../core/id.ts'
import type { RecordStore, StoredRecord } from '../core/records.ts'
import { parseSecretReference } from '../core/secret-reference.ts'
import { envelopeJson, envelopeOf, openEnvelope, type Place, rewrapEnvelope, sealEnvelope } from './envelope.ts'
import type { Keyring } from './keyring.ts'
import { SecretError, type SecretSource } from './source.ts'

/** What may be told of a stored secret. */
export interface SecretRecord {
  readonly name: string
  readonly organisation?: string
  /** Counts up with every value and every data key. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** When the value was put. */
  readonly valueAt: number
  /** When its data key was made. */
  readonly keyAt: number
  /** Id of the master key that wraps its data key. */
  readonly masterKey: string
}

export interface BuiltIn extends SecretSource {
  put(name: string, value: string, organisation?: string): Promise<SecretRecord>
  /** Of one organisation; without one, all. */
  list(organisation?: string): Promise<readonly SecretRecord[]>
  remove(name: string, organisation?: string): Promise<boolean>
  /** New data keys for what is older than that. How many. */
  renewDataKeys(olderThanMs: number): Promise<number>
  /** Everything under the current master key. Can be broken off and begun again; several replicas may do it at once. */
  rewrap(): Promise<{ readonly rewrapped: number; readonly failed: number }>
  /** Tells what was put or removed, by whatever replica. */
  watch(changed: (name: string, organisation: string | undefined) => void): () => void
}

const PAGE = 1_000
const RETRIES = 8
const LONGEST = 65_536

export function createBuiltIn({
  records,
  keyring,
  now,
}: {
  readonly records: RecordStore
  readonly keyring: Keyring
  now(): number
}): BuiltIn {
  /** Where removed records stood: a change tells only the id. */
  const places = new Map<string, Place>()

  async function* all(organisation?: string): AsyncGenerator<StoredRecord> {
    let after: string | undefined
    do {
      const { data, next } = await records.list('secret', { organisation, after, limit: PAGE })
      yield* data
      after = next
    } while (after !== undefined)
  }

  /** Writes what `next` makes of the record as it now is; undefined leaves it alone. */
  async function change(
    id: string,
    next: (record: StoredRecord) => Promise<StoredRecord['data'] | undefined>,
  ): Promise<StoredRecord | undefined> {
    for (let attempt = 1; ; attempt++) {
      const record = await records.get('secret', id)
      const data = record && (await next(record))
      if (!record || !data) return undefined
      try {
        const { kind, lookup, organisation, version } = record
        return await records.update({ kind, id, lookup, organisation, version, data })
      } catch (error) {
        if (attempt === RETRIES || !(error instanceof GatewayError) || error.id !== 'conflict') throw error
      }
    }
  }

  /** A data key that is wrapped by another master key than the current one is wrapped anew. */
  const underCurrent = (id: string): Promise<StoredRecord | undefined> =>
    change(id, async (record) => {
      const to = await keyring.current()
      const envelope = envelopeOf(record.data)
      if (envelope.key.master === to.id) return undefined
      const from = await keyring.byId(envelope.key.master)
      return { ...record.data, ...envelopeJson(rewrapEnvelope(envelope, placeOf(record), from, to)) }
    })

  async function open(record: StoredRecord): Promise<string> {
    const envelope = envelopeOf(record.data)
    return openEnvelope(envelope, placeOf(record), await keyring.byId(envelope.key.master))
  }

  return {
    scheme: 'secret',
    async read({ name }, organisation) {
      const record = await records.find('secret', lookupOf({ name, organisation }))
      if (!record) {
        // A master key that is missing or wrong is the worse news.
        await keyring.current()
        throw new SecretError('unset', `there is no stored secret ${name}`, `put it: \`signalbox secrets set ${name}\``)
      }
      places.set(record.id, placeOf(record))
      return { value: await open(record), version: String(envelopeOf(record.data).revision) }
    },

    async put(name, value, organisation) {
      const text = value.trim()
      const place = { name, organisation }
      const reference = parseSecretReference(`secret:${name}`)
      if (!reference || 'fault' in reference)
        throw new GatewayError('invalid-request', 'A name is 1 to 100 letters, digits, dots, dashes and underscores.', { path: 'name' })
      if (text === '') throw new GatewayError('invalid-request', 'The value is empty.', { path: 'value' })
      if (text.length > LONGEST)
        throw new GatewayError('invalid-request', `The value is longer than ${LONGEST} characters.`, { path: 'value' })
      for (let attempt = 1; ; attempt++) {
        const before = await records.find('secret', lookupOf(place))
        const master = await keyring.current()
        const revision = before ? revisionOf(before) + 1 : 1
        const at = now()
        const data = { name, ...envelopeJson(sealEnvelope(text, place, revision, master)), valueAt: at, keyAt: at }
        const record = { kind: 'secret', id: before?.id ?? newId('sec_'), lookup: lookupOf(place), organisation, data } as const
        try {
          const stored = await (before ? records.update({ ...record, version: before.version }) : records.create(record))
          places.set(stored.id, place)
          // A rotation may have gone by while this was being written.
          return told((await underCurrent(stored.id)) ?? stored)
        } catch (error) {
          const again = error instanceof GatewayError && (error.id === 'conflict' || error.id === 'not-found')
          if (!again || attempt === RETRIES) throw error
        }
      }
    },

    async list(organisation) {
      const found: SecretRecord[] = []
      for await (const record of all(organisation)) {
        places.set(record.id, placeOf(record))
        found.push(told(record))
      }
      return found.sort((one, other) => (one.name < other.name ? -1 : 1))
    },

    async remove(name, organisation) {
      const record = await records.find('secret', lookupOf({ name, organisation }))
      if (!record) return false
      places.set(record.id, placeOf(record))
      return await records.remove('secret', record.id)
    },

    async renewDataKeys(olderThanMs) {
      let renewed = 0
      for await (const { id, data } of all()) {
        if (now() - numberOf(data['keyAt']) < olderThanMs) continue
        const done = await change(id, async (record) => {
          // Another replica may have done it meanwhile.
          if (now() - numberOf(record.data['keyAt']) < olderThanMs) return undefined
          const envelope = sealEnvelope(await open(record), placeOf(record), revisionOf(record) + 1, await keyring.current())
          return { ...record.data, ...envelopeJson(envelope), keyAt: now() }
        })
        if (done) renewed++
      }
      return renewed
    },

    async rewrap() {
      const { id: target } = await keyring.current()
      let rewrapped = 0
      let failed = 0
      for await (const record of all()) {
        try {
          if (envelopeOf(record.data).key.master !== target && (await underCurrent(record.id))) rewrapped++
        } catch (error) {
          if (!(error instanceof SecretError)) throw error
          failed++
        }
      }
      if (failed === 0) await keyring.finish(target)
      return { rewrapped, failed }
    },

    watch(changed) {
      return records.watch((changes) => {
        for (const { kind, id } of changes) {
          if (kind !== 'secret') continue
          const known = places.get(id)
          if (known) changed(known.name, known.organisation)
          else
            void records.get('secret', id).then(
              (record) => {
                if (!record) return
                const place = placeOf(record)
                places.set(id, place)
                changed(place.name, place.organisation)
              },
              () => {},
            )
        }
      })
    },
  }
}

/** Neither a name nor an id of an organisation holds a slash. */
const lookupOf = ({ name, organisation = '' }: Place): string => `${organisation}/${name}`
const placeOf = ({ data, organisation }: StoredRecord): Place => ({ name: String(data['name']), organisation })
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
const revisionOf = ({ data }: StoredRecord): number => numberOf(data['revision'])

function told({ data, organisation, createdAt }: StoredRecord): SecretRecord {
  const { revision, key } = envelopeOf(data)
  return {
    name: String(data['name']),
    ...(organisation !== undefined && { organisation }),
    version: revision,
    createdAt,
    valueAt: numberOf(data['valueAt']),
    keyAt: numberOf(data['keyAt']),
    masterKey: key.master,
  }
}
