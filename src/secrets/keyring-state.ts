/** What the replicas share about master keys: one record, written as a whole or not at all. Nothing in it opens anything by itself. */
import type { Json } from '../core/json.ts'
import { isSealed, type Sealed } from './envelope.ts'
import type { WrappedForm } from './kms/kms.ts'

export interface Previous extends Sealed {
  readonly id: string
  readonly by: string
}

/** A master key that a KMS has wrapped. */
export interface Wrapped {
  /** The key of the KMS, as it is configured. */
  readonly reference: string
  /** Id of the master key. */
  readonly master: string
  /** Absent: it was rotated out, and nothing is left of it but its id. */
  readonly form?: WrappedForm
}

export interface KeyringState {
  readonly salt: string
  /** Id of the key that wraps, and where it was found. */
  readonly current?: string
  readonly reference?: string
  /** Id of the configured key when that was decided. */
  readonly configured?: string
  readonly previous: readonly Previous[]
  /** Keys that were rotated out: a replica with an older configuration does not bring them back. */
  readonly retired: readonly string[]
  /** At most one for each reference. */
  readonly wrapped: readonly Wrapped[]
}

const MOST_RETIRED = 50

export const emptyState = (salt: string): KeyringState => ({ salt, previous: [], retired: [], wrapped: [] })

export const wrappedBy = ({ wrapped }: KeyringState, reference: string): Wrapped | undefined =>
  wrapped.find((one) => one.reference === reference)

/** Whether the key in force was made for a KMS: then another KMS may wrap the same one. */
export const isForKms = ({ wrapped, current }: KeyringState): boolean => wrapped.some(({ master }) => master === current)

export function withWrapped(state: KeyringState, entry: Wrapped): KeyringState {
  const others = state.wrapped.filter(({ reference }) => reference !== entry.reference)
  const [open, over] = [others.filter(({ form }) => form), others.filter(({ form }) => !form)]
  return { ...state, wrapped: [...over.slice(-MOST_RETIRED), ...open, entry] }
}

/** Older keys are done with; of those that a KMS wrapped, the id is left. */
export const finished = (state: KeyringState): KeyringState => ({
  ...state,
  previous: [],
  wrapped: state.wrapped.map((one) => (one.master === state.current ? one : { reference: one.reference, master: one.master })),
})

export const retiredWith = ({ retired }: KeyringState, older: ReadonlySet<string>, current: string): readonly string[] =>
  [...retired.filter((id) => id !== current && !older.has(id)), ...older].slice(-MOST_RETIRED)

export function stateOf(data: Readonly<Record<string, Json>>): KeyringState {
  const { salt, current, reference, configured, previous, retired, wrapped } = data
  return {
    salt: typeof salt === 'string' ? salt : '',
    ...(typeof current === 'string' && { current }),
    ...(typeof reference === 'string' && { reference }),
    ...(typeof configured === 'string' && { configured }),
    previous: Array.isArray(previous) ? previous.filter(isPrevious) : [],
    retired: Array.isArray(retired) ? retired.filter((id) => typeof id === 'string') : [],
    wrapped: Array.isArray(wrapped) ? wrapped.flatMap(wrappedOf) : [],
  }
}

function isPrevious(value: unknown): value is Previous {
  return isSealed(value) && 'id' in value && 'by' in value && typeof value.id === 'string' && typeof value.by === 'string'
}

function wrappedOf(value: Json): readonly Wrapped[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const { reference, master, form } = value as Readonly<Record<string, Json>>
  if (typeof reference !== 'string' || typeof master !== 'string') return []
  if (typeof form !== 'object' || form === null || Array.isArray(form)) return [{ reference, master }]
  const { text, by } = form as Readonly<Record<string, Json>>
  // It is shown in messages.
  const plain = typeof by === 'string' && /^[\w:/.@-]{0,300}$/.test(by) ? by : ''
  return [{ reference, master, ...(typeof text === 'string' && { form: { text, by: plain } }) }]
}
