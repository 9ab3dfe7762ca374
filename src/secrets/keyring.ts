/**
 * The master keys of the built-in store. One wraps what is written; while a rotation lasts, its predecessor lies in the
 * database under it, so that whoever has the new one can finish, after a crash too. One that a KMS wraps is made here and lies
 * in the same record: replicas that start together agree by whose write comes first.
 */
import { createHash, randomBytes } from 'node:crypto'
import { GatewayError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import { parseKmsReference } from '../core/master-key-reference.ts'
import type { RecordStore, StoredRecord } from '../core/records.ts'
import { openMaster, sealMaster } from './envelope.ts'
import {
  emptyState,
  isForKms,
  type KeyringState,
  lineWith,
  type Previous,
  retiredWith,
  stateOf,
  type Wrapped,
  withWrapped,
  wrappedBy,
} from './keyring-state.ts'
import type { Wrapping } from './kms/wrapping.ts'
import { type MasterKey, masterKeyFrom, masterKeyOf } from './master-key.ts'
import { SecretError } from './source.ts'
import { descends, type Succession, succession } from './succession.ts'

export interface KeyringOptions {
  readonly records: RecordStore
  /** A reference: `env:`, `file:`, or the key of a KMS that wraps the master key. */
  readonly masterKey: string
  /** References to keys that were in use before. */
  readonly previousMasterKeys?: readonly string[]
  /** The value of an `env:` or `file:` reference. Rejects with a SecretError. */
  credential(reference: string): Promise<string>
  readonly wrapping: Wrapping
}

/** `wrapped`: another key of a KMS, or a newer version of it, wraps the same master key now. */
export type Rotated = 'same' | 'wrapped' | 'changed'

export interface Keyring {
  /** What to wrap with. The state is read anew, so that no replica goes on writing under an old key. */
  current(): Promise<MasterKey>
  /** Rejects with `refused` when that key is not at hand. */
  byId(id: string): Promise<MasterKey>
  /** From now on everything is wrapped by this one. `fresh`: by another master key even where the one in force could stay under a KMS. */
  rotate(reference: string, fresh?: boolean): Promise<Rotated>
  /** Reads the references and the state again; what was configured anew begins a rotation. True: old keys are still in use. */
  refresh(): Promise<boolean>
  /** Nothing is wrapped by older keys any more. */
  finish(currentId: string): Promise<void>
  /** Where the key in force comes from, while what is configured here was rotated out; by the last reading of the state. */
  supersededBy(): string | undefined
}

export const KEYRING_RECORD = 'secrets-master-key'
const RETRIES = 5
/** Who writes is not kept waiting each time for a KMS that is to take over. */
const WAIT_MS = 30_000

export function createKeyring(options: KeyringOptions): Keyring {
  const { records, masterKey, previousMasterKeys = [], credential, wrapping } = options
  /** Those that are named here, and what follows on them. What only the database names is not among them. */
  const keys = new Map<string, MasterKey>()
  /** By digest of the text: stretching a passphrase takes long. */
  const made = new Map<string, MasterKey>()
  let record: StoredRecord | undefined
  /** Id of the configured key. Undefined: a KMS's that has wrapped none yet. */
  let configured: string | undefined
  /** Why the KMS that is configured could not be asked, and why any could not. */
  let ownProblem: SecretError | undefined
  let kmsProblem: SecretError | undefined
  /** What could not be taken over, while the key in force is at hand. */
  let waiting: { readonly error: SecretError; readonly until: number } | undefined
  let superseded: string | undefined
  let busy: Promise<unknown> = Promise.resolve()

  /** One at a time: each reads the state and may write it. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const again = (): Promise<T> => persistently(work)
    const run = busy.then(again, again)
    busy = run.catch(() => {})
    return run
  }

  async function stateNow(): Promise<KeyringState> {
    record = await records.get('setting', KEYRING_RECORD)
    if (!record) {
      const data = jsonOf(emptyState(randomBytes(16).toString('base64')))
      try {
        record = await records.create({ kind: 'setting', id: KEYRING_RECORD, data })
      } catch (error) {
        if (!(error instanceof GatewayError) || error.id !== 'conflict') throw error
        record = await records.get('setting', KEYRING_RECORD)
      }
    }
    return stateOf(record?.data ?? {})
  }

  async function write(state: KeyringState): Promise<void> {
    if (!record) throw new GatewayError('internal', 'The state of the master key was not read.')
    const { kind, id, version } = record
    record = await records.update({ kind, id, version, data: jsonOf(state) })
  }

  /** A KMS's is undefined where it has wrapped none. */
  const found = (reference: string, state: KeyringState): Promise<MasterKey | undefined> =>
    isKms(reference) ? unwrapped(reference, wrappedBy(state, reference)) : keyOfText(reference, state)

  /** Of a reference that is named by whoever may. */
  async function keyOf(reference: string, state: KeyringState): Promise<MasterKey | undefined> {
    const key = await found(reference, state)
    if (key) keys.set(key.id, key)
    return key
  }

  async function keyOfText(reference: string, state: KeyringState): Promise<MasterKey> {
    const text = await credential(reference)
    const digest = createHash('sha256').update(state.salt).update(text).digest('hex')
    let key = made.get(digest)
    if (!key) {
      key = await masterKeyOf(text, Buffer.from(state.salt, 'base64'))
      made.set(digest, key)
    }
    return key
  }

  async function unwrapped(reference: string, entry: Wrapped | undefined): Promise<MasterKey | undefined> {
    if (!entry) return undefined
    try {
      return await wrapping.unwrap(reference, entry.form, entry.master)
    } catch (error) {
      if (!(error instanceof SecretError)) throw error
      if (reference === masterKey) ownProblem = error
      // What time may help is the better news.
      if (kmsProblem?.fault !== 'unreachable') kmsProblem = error
      throw error
    }
  }

  /** Every key that can be had, and the state as it then is. */
  async function gathered(): Promise<KeyringState> {
    const state = await stateNow()
    const { current, reference: inForce } = state
    ownProblem = kmsProblem = undefined
    const ignored = (): undefined => undefined
    if (isKms(masterKey)) {
      // Another reference may still lead to it.
      await keyOf(masterKey, state).catch(ignored)
      configured = wrappedBy(state, masterKey)?.master
    } else configured = (await keyOf(masterKey, state))?.id
    // An old key may be gone by now.
    for (const reference of previousMasterKeys) if (!isKms(reference)) await keyOf(reference, state).catch(ignored)
    openPrevious(state)
    const needed = (id: string | undefined): id is string =>
      id !== undefined && !keys.has(id) && (id === current || state.previous.some((one) => one.id === id))
    // Another KMS is asked only for what is missing.
    for (const reference of previousMasterKeys)
      if (isKms(reference) && (needed(wrappedBy(state, reference)?.master) || needed(current))) await keyOf(reference, state).catch(ignored)
    // The same key of a KMS under another name: an alias that leads elsewhere by now, an ARN in place of an alias.
    for (const entry of state.wrapped.filter(({ master }) => master === current))
      for (const reference of [masterKey, ...previousMasterKeys])
        if (needed(current) && reference !== entry.reference && isOfSameKms(reference, entry.reference)) {
          const key = await unwrapped(reference, entry).catch(ignored)
          if (key) keys.set(key.id, key)
        }
    // Another replica may have turned to a reference that is not named here: it has to follow on a key that is.
    if (needed(current) && inForce !== undefined && [...keys.values()].some((key) => descends(current, key, state.line))) {
      const key = await found(inForce, state).catch(ignored)
      if (key?.id === current) keys.set(key.id, key)
    }
    openPrevious(state)
    return state
  }

  function openPrevious({ previous }: KeyringState): void {
    for (const { id, by, iv, text } of previous) {
      const under = keys.get(by)
      if (under && !keys.has(id)) keys.set(id, openMaster({ iv, text }, id, under))
    }
  }

  /** The state with another current key; the older ones lie under it until they are done with. */
  function turned(key: MasterKey, reference: string, state: KeyringState, own = configured ?? key.id): KeyringState {
    const older = new Set([...(state.current === undefined ? [] : [state.current]), ...state.previous.map(({ id }) => id)])
    older.delete(key.id)
    const previous: Previous[] = []
    const line: Succession[] = []
    for (const id of older) {
      const old = keys.get(id)
      if (!old) throw missingKey(id, state)
      previous.push({ id, by: key.id, ...sealMaster(old, key) })
      line.push(succession(old, key))
    }
    return {
      ...state,
      current: key.id,
      reference,
      configured: own,
      previous,
      retired: retiredWith(state, older, key.id),
      line: lineWith(state, line, key.id),
    }
  }

  /** The key in force goes under a KMS as it is: nothing else has to be wrapped anew. */
  async function wrapAsItIs(key: MasterKey, reference: string, state: KeyringState): Promise<void> {
    const form = await wrapping.wrap(reference, key)
    await write({ ...withWrapped(state, { reference, master: key.id, form }), reference })
  }

  async function turnToFresh(reference: string, state: KeyringState, own?: string): Promise<void> {
    const key = masterKeyFrom(randomBytes(32))
    // What is missing is told before the KMS is asked.
    const next = turned(key, reference, state, own ?? key.id)
    const form = await wrapping.wrap(reference, key)
    await write(withWrapped(next, { reference, master: key.id, form }))
  }

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
  async function settled(eager = false): Promise<KeyringState> {
    const state = await gathered()
    superseded = undefined
    const decided = state.current !== undefined && (state.current === configured || state.configured === configured)
    // What stands in the state is newer than what is configured here.
    const older = configured !== undefined && configured !== state.current && state.retired.includes(configured)
    if (older) superseded = state.reference
    if (configured !== undefined && (decided || older) && !(configured === state.current && ownProblem)) {
      waiting = undefined
      return state
    }
    if (waiting && !eager && performance.now() < waiting.until) return state
    try {
      await takeOver(state)
      waiting = undefined
    } catch (error) {
      // The KMS is away, but nothing depends on it yet.
      if (!(error instanceof SecretError) || error.fault !== 'unreachable' || !keys.has(state.current ?? '')) throw error
      waiting = { error, until: performance.now() + WAIT_MS }
      return state
    }
    return await gathered()
  }

  async function takeOver(state: KeyringState): Promise<void> {
    if (!isKms(masterKey)) return await write(turned(keys.get(configured ?? '') as MasterKey, masterKey, state))
    if (state.current === undefined) return await turnToFresh(masterKey, state)
    const key = keys.get(state.current)
    if (!key) throw missingKey(state.current, state)
    if (ownProblem?.fault === 'unreachable') throw ownProblem
    await (isForKms(state) ? wrapAsItIs(key, masterKey, state) : turnToFresh(masterKey, state))
  }

  const missingKey = (id: string, { reference }: KeyringState): SecretError =>
    kmsProblem ??
    new SecretError(
      'refused',
      `stored secrets are wrapped by the master key ${id}${reference === undefined ? '' : ` (${reference})`}, which is not at hand`,
      'name it under `secrets.previousMasterKeys` beside the new one, or set `secrets.masterKey` back',
    )

  return {
    current: () =>
      alone(async () => {
        const state = await settled()
        const key = keys.get(state.current ?? '')
        if (!key) throw missingKey(state.current ?? '', state)
        return key
      }),
    async byId(id) {
      const known = keys.get(id)
      if (known) return known
      const state = await alone(() => settled())
      const found = keys.get(id)
      if (!found) throw missingKey(id, state)
      return found
    },
    rotate: (reference, fresh = false) =>
      alone(async () => {
        const state = await settled()
        const current = keys.get(state.current ?? '')
        if (!current) throw missingKey(state.current ?? '', state)
        if (!isKms(reference)) {
          const key = (await keyOf(reference, state)) as MasterKey
          if (key.id === state.current) return 'same'
          await write(turned(key, reference, state))
          return 'changed'
        }
        if (isForKms(state) && !fresh) {
          await wrapAsItIs(current, reference, state)
          return 'wrapped'
        }
        await turnToFresh(reference, state, reference === masterKey ? undefined : configured)
        return 'changed'
      }),
    refresh: () =>
      alone(async () => {
        const { previous } = await settled(true)
        if (waiting) throw waiting.error
        return previous.length > 0
      }),
    finish: (currentId) =>
      alone(async () => {
        const state = await settled()
        if (state.current !== currentId || state.previous.length === 0) return
        await write({ ...state, previous: [] })
      }),
    supersededBy: () => superseded,
  }
}

function isOfSameKms(one: string, other: string): boolean {
  const [first, second] = [parseKmsReference(one), parseKmsReference(other)]
  return first !== undefined && second !== undefined && 'scheme' in first && 'scheme' in second && first.scheme === second.scheme
}

/** One that is badly formed is a KMS's too: it says so when it is asked. */
const isKms = (reference: string): boolean => parseKmsReference(reference) !== undefined

const jsonOf = (state: KeyringState): Record<string, Json> => state as unknown as Record<string, Json>
