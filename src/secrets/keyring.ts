/**
 * The master keys of the built-in store. One wraps what is written; while a rotation lasts, its predecessor lies in the
 * database under it, so that whoever has the new one can finish, after a crash too.
 */
import { createHash, randomBytes } from 'node:crypto'
import { GatewayError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import type { RecordStore, StoredRecord } from '../core/records.ts'
import { isSealed, openMaster, type Sealed, sealMaster } from './envelope.ts'
import { type MasterKey, masterKeyOf } from './master-key.ts'
import { SecretError } from './source.ts'

export interface KeyringOptions {
  readonly records: RecordStore
  /** A reference: `env:` or `file:`. */
  readonly masterKey: string
  /** References to keys that were in use before. */
  readonly previousMasterKeys?: readonly string[]
  /** The value of such a reference. Rejects with a SecretError. */
  credential(reference: string): Promise<string>
}

export interface Keyring {
  /** What to wrap with. The state is read anew, so that no replica goes on writing under an old key. */
  current(): Promise<MasterKey>
  /** Rejects with `refused` when that key is not at hand. */
  byId(id: string): Promise<MasterKey>
  /** From now on everything is wrapped by this one. False: it is the one already. */
  rotate(reference: string): Promise<boolean>
  /** Reads the references and the state again; what was configured anew begins a rotation. True: old keys are still in use. */
  refresh(): Promise<boolean>
  /** Nothing is wrapped by older keys any more. */
  finish(currentId: string): Promise<void>
}

interface Previous extends Sealed {
  readonly id: string
  readonly by: string
}

interface State {
  readonly salt: string
  /** Id of the key that wraps, and where it was found. */
  readonly current?: string
  readonly reference?: string
  /** Id of the configured key when that was decided. */
  readonly configured?: string
  readonly previous: readonly Previous[]
  /** Keys that were rotated out: a replica with an older configuration does not bring them back. */
  readonly retired: readonly string[]
}

export const KEYRING_RECORD = 'secrets-master-key'
const RETRIES = 5
const MOST_RETIRED = 50

export function createKeyring({ records, masterKey, previousMasterKeys = [], credential }: KeyringOptions): Keyring {
  const keys = new Map<string, MasterKey>()
  /** By digest of the text: stretching a passphrase takes long. */
  const made = new Map<string, MasterKey>()
  let record: StoredRecord | undefined
  let configured: MasterKey | undefined
  let busy: Promise<unknown> = Promise.resolve()

  /** One at a time: each reads the state and may write it. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const again = (): Promise<T> => persistently(work)
    const run = busy.then(again, again)
    busy = run.catch(() => {})
    return run
  }

  async function stateNow(): Promise<State> {
    record = await records.get('setting', KEYRING_RECORD)
    if (!record) {
      const data = { salt: randomBytes(16).toString('base64'), previous: [], retired: [] }
      try {
        record = await records.create({ kind: 'setting', id: KEYRING_RECORD, data })
      } catch (error) {
        if (!(error instanceof GatewayError) || error.id !== 'conflict') throw error
        record = await records.get('setting', KEYRING_RECORD)
      }
    }
    return stateOf(record?.data ?? {})
  }

  async function write(state: State): Promise<void> {
    if (!record) throw new GatewayError('internal', 'The state of the master key was not read.')
    const { kind, id, version } = record
    record = await records.update({ kind, id, version, data: state as unknown as Record<string, Json> })
  }

  async function keyOf(reference: string, state: State): Promise<MasterKey> {
    const text = await credential(reference)
    const digest = createHash('sha256').update(state.salt).update(text).digest('hex')
    let key = made.get(digest)
    if (!key) {
      key = await masterKeyOf(text, Buffer.from(state.salt, 'base64'))
      made.set(digest, key)
    }
    keys.set(key.id, key)
    return key
  }

  /** Every key that can be had, and the state as it then is. */
  async function gathered(): Promise<State> {
    const state = await stateNow()
    const first = await keyOf(masterKey, state)
    // An old key may be gone by now, and another replica may know a reference that this one cannot read.
    for (const reference of [...previousMasterKeys, ...(state.reference === undefined ? [] : [state.reference])])
      await keyOf(reference, state).catch(() => undefined)
    for (const { id, by, iv, text } of state.previous) {
      const under = keys.get(by)
      if (under && !keys.has(id)) keys.set(id, openMaster({ iv, text }, id, under))
    }
    configured = first
    return state
  }

  /** Writes the state with another current key; the older ones lie under it until they are done with. */
  async function turnTo(key: MasterKey, reference: string, state: State): Promise<void> {
    const older = new Set([...(state.current === undefined ? [] : [state.current]), ...state.previous.map(({ id }) => id)])
    older.delete(key.id)
    const previous: Previous[] = []
    for (const id of older) {
      const old = keys.get(id)
      if (!old) throw strange(id)
      previous.push({ id, by: key.id, ...sealMaster(old, key) })
    }
    const retired = [...state.retired.filter((id) => id !== key.id && !older.has(id)), ...older].slice(-MOST_RETIRED)
    await write({ salt: state.salt, current: key.id, reference, configured: configured?.id ?? key.id, previous, retired })
  }

  /** The state in force: a key that was configured since the last decision takes over. */
  /** Another replica wrote the state meanwhile: from the beginning. */
  async function persistently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (attempt === RETRIES || !(error instanceof GatewayError) || error.id !== 'conflict') throw error
      }
    }
  }

  /** The state in force: a key that was configured since the last decision takes over. */
  async function settled(): Promise<State> {
    const state = await gathered()
    const own = configured as MasterKey
    if (state.current === own.id || (state.current !== undefined && state.configured === own.id)) return state
    // What stands in the state is newer than what is configured here.
    if (state.retired.includes(own.id)) return state
    await turnTo(own, masterKey, state)
    return await gathered()
  }

  return {
    current: () =>
      alone(async () => {
        const { current = '' } = await settled()
        const key = keys.get(current)
        if (!key) throw strange(current)
        return key
      }),
    async byId(id) {
      const known = keys.get(id)
      if (known) return known
      await alone(settled)
      const found = keys.get(id)
      if (!found) throw strange(id)
      return found
    },
    rotate: (reference) =>
      alone(async () => {
        const state = await settled()
        const key = await keyOf(reference, state)
        if (key.id === state.current) return false
        await turnTo(key, reference, state)
        return true
      }),
    refresh: () => alone(async () => (await settled()).previous.length > 0),
    finish: (currentId) =>
      alone(async () => {
        const state = await settled()
        if (state.current !== currentId || state.previous.length === 0) return
        await write({ ...state, previous: [] })
      }),
  }
}

const strange = (id: string): SecretError =>
  new SecretError(
    'refused',
    `stored secrets are wrapped by the master key ${id}, which is not at hand`,
    'name it under `secrets.previousMasterKeys` beside the new one, or set `secrets.masterKey` back',
  )

function stateOf(data: Readonly<Record<string, Json>>): State {
  const { salt, current, reference, configured, previous, retired } = data
  const list = Array.isArray(previous) ? previous : []
  return {
    salt: typeof salt === 'string' ? salt : '',
    ...(typeof current === 'string' && { current }),
    ...(typeof reference === 'string' && { reference }),
    ...(typeof configured === 'string' && { configured }),
    previous: list.filter(isPrevious),
    retired: Array.isArray(retired) ? retired.filter((id) => typeof id === 'string') : [],
  }
}

function isPrevious(value: unknown): value is Previous {
  return isSealed(value) && 'id' in value && 'by' in value && typeof value.id === 'string' && typeof value.by === 'string'
}
