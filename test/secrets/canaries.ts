/** Secrets that would be recognised anywhere, and the search for them. */
import { randomBytes } from 'node:crypto'

export const canaryKinds = [
  'owner key',
  'provider key from the environment',
  'provider key from a file',
  'provider key from the built-in store',
  'replaced provider key from the built-in store',
  "provider key of one organisation's own",
  'provider key from Vault',
  'Vault token',
  'master key',
  'next master key',
  'webhook secret',
  'wrong credential of a caller',
] as const
export type CanaryKind = (typeof canaryKinds)[number]

export interface Canary {
  readonly kind: string
  readonly text: string
  /** So many characters from its beginning may be shown. */
  readonly visible: number
}

/** Something that was written or sent, where no secret may be. */
export interface Place {
  readonly name: string
  readonly bytes: Buffer
}

/** Letters and digits only: they look the same in URLs, JSON and headers. */
const word = (): string =>
  randomBytes(36)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .padEnd(40, 'x')
    .slice(0, 40)

export function plantCanaries(): Record<CanaryKind, string> {
  const planted = {} as Record<CanaryKind, string>
  for (const kind of canaryKinds) planted[kind] = kind.includes('master key') ? randomBytes(32).toString('base64') : `canary${word()}`
  return planted
}

export const canary = (kind: string, text: string, visible = 0): Canary => ({ kind, text, visible })

const PIECE = 14

/** What a secret may look like: as it is, in part, in base64 at any offset, in hexadecimal, as the bytes that it stands for. */
function formsOf({ text, visible }: Canary): readonly { readonly form: string; readonly bytes: Buffer }[] {
  const forms: { form: string; bytes: Buffer }[] = []
  const hidden = text.slice(visible)
  for (let from = 0; from + PIECE <= hidden.length; from += PIECE)
    forms.push({ form: 'as it is', bytes: Buffer.from(hidden.slice(from, from + PIECE)) })
  const plain = Buffer.from(hidden)
  for (const encoding of ['base64', 'base64url'] as const)
    for (const offset of [0, 1, 2]) {
      const encoded = Buffer.concat([Buffer.alloc(offset), plain]).toString(encoding)
      // The ends depend on what stands beside it.
      forms.push({ form: encoding, bytes: Buffer.from(encoded.slice(4, 4 + 2 * PIECE)) })
    }
  const hex = plain.toString('hex').slice(0, 4 * PIECE)
  forms.push({ form: 'hexadecimal', bytes: Buffer.from(hex) }, { form: 'hexadecimal', bytes: Buffer.from(hex.toUpperCase()) })
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) {
    const raw = Buffer.from(text, 'base64')
    forms.push({ form: 'raw bytes', bytes: raw.subarray(0, 16) }, { form: 'raw bytes', bytes: raw.subarray(16) })
    forms.push({ form: 'hexadecimal', bytes: Buffer.from(raw.toString('hex').slice(0, 32)) })
  }
  return forms
}

/** What was found where; empty is what is wanted. Never repeats a secret. */
export function search(places: readonly Place[], canaries: readonly Canary[]): readonly string[] {
  const found: string[] = []
  for (const one of canaries) {
    const forms = formsOf(one)
    for (const { name, bytes } of places) {
      const form = forms.find(({ bytes: needle }) => bytes.includes(needle))
      if (form) found.push(`${one.kind} (${form.form}) in ${name}`)
    }
  }
  return found
}
