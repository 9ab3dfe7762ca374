/** What the replicas share about master keys: one record, written as a whole or not at all. Nothing in it opens anything by itself. */
import type { Json } from '../core/json.ts'
import { isSealed, type Sealed } from './envelope.ts'
import type { WrappedForm } from './kms/kms.ts'
import type { Succession } from './succession.ts'

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
  readonly form: WrappedForm
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
  /** At most one for each reference; of keys that were rotated out, too: they vouch for what followed. */
  readonly wrapped: readonly Wrapped[]
  /** What followed on which key, signed by that. At most one for each. */
  readonly line: readonly Succession[]
}

const MOST_RETIRED = 50

export const emptyState = (salt: string): KeyringState => ({ salt, previous: [], retired: [], wrapped: [], line: [] })

export const wrappedBy = ({ wrapped }: KeyringState, reference: string): Wrapped | undefined =>
  wrapped.find((one) => one.reference === reference)

/** Whether the key in force was made for a KMS: then another KMS may wrap the same one. */
export const isForKms = ({ wrapped, current }: KeyringState): boolean => wrapped.some(({ master }) => master === current)

/** The last are the newest; those of the key in force stay. */
export function withWrapped(state: KeyringState, entry: Wrapped): KeyringState {
  const others = state.wrapped.filter(({ reference }) => reference !== entry.reference)
  const [over, open] = [others.filter(({ master }) => master !== state.current), others.filter(({ master }) => master === state.current)]
  return { ...state, wrapped: [...over.slice(-MOST_RETIRED), ...open, entry] }
}

export const lineWith = ({ line }: KeyringState, more: readonly Succession[], current: string): readonly Succession[] =>
  [...line.filter(({ from }) => from !== current && !more.some((one) => one.from === from)), ...more].slice(-MOST_RETIRED)

export const retiredWith = ({ retired }: KeyringState, older: ReadonlySet<string>, current: string): readonly string[] =>
  [...retired.filter((id) => id !== current && !older.has(id)), ...older].slice(-MOST_RETIRED)

export function stateOf(data: Readonly<Record<string, Json>>): KeyringState {
  const { salt, current, reference, configured, previous, retired, wrapped, line } = data
  return {
    salt: typeof salt === 'string' ? salt : '',
    ...(typeof current === 'string' && { current }),
    ...(typeof reference === 'string' && { reference }),
    ...(typeof configured === 'string' && { configured }),
    previous: Array.isArray(previous) ? previous.filter(isPrevious) : [],
    retired: Array.isArray(retired) ? retired.filter((id) => typeof id === 'string') : [],
    wrapped: Array.isArray(wrapped) ? wrapped.flatMap(wrappedOf) : [],
    line: Array.isArray(line) ? line.filter(isSuccession) : [],
  }
}

function isPrevious(value: unknown): value is Previous {
  return isSealed(value) && 'id' in value && 'by' in value && typeof value.id === 'string' && typeof value.by === 'string'
}

function wrappedOf(value: Json): readonly Wrapped[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const { reference, master, form } = value as Readonly<Record<string, Json>>
  if (typeof reference !== 'string' || typeof master !== 'string') return []
  if (typeof form !== 'object' || form === null || Array.isArray(form)) return []
  const { text, by } = form as Readonly<Record<string, Json>>
  // It is shown in messages.
  const plain = typeof by === 'string' && /^[\w:/.@-]{0,300}$/.test(by) ? by : ''
  return typeof text === 'string' ? [{ reference, master, form: { text, by: plain } }] : []
}

function isSuccession(value: unknown): value is Succession {
  if (typeof value !== 'object' || value === null) return false
  const { from, to, key, signature } = value as Record<string, unknown>
  return [from, to, key, signature].every((member) => typeof member === 'string')
}
