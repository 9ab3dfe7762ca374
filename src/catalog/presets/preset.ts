/** What the project itself adds to the catalogue's facts about a provider. Data, not code. */
import type { WireId } from '../../core/call.ts'
import type { Quirks } from '../../core/target.ts'
import type { Auth } from '../types.ts'

export interface Preset {
  readonly name?: string
  readonly baseUrl?: string
  readonly baseUrls?: Readonly<Partial<Record<WireId, string>>>
  /** Preferred first. Default: what the provider's published client speaks, else openai-chat. */
  readonly wires?: readonly WireId[]
  readonly auth?: Auth
  readonly env?: readonly string[]
  readonly doc?: string
  readonly quirks?: Readonly<Partial<Record<WireId, Quirks>>>
  readonly headers?: Readonly<Record<string, string>>
  readonly limitation?: string
  /** The facts give models of this host wires of their vendors, which the host serves elsewhere. */
  readonly oneWire?: boolean
  readonly generic?: boolean
}

export const bearer: Auth = { header: 'authorization', prefix: 'Bearer ' }
export const xApiKey: Auth = { header: 'x-api-key' }
export const googleKey: Auth = { header: 'x-goog-api-key' }
export const azureKey: Auth = { header: 'api-key' }

/** A part of a URL that the config fills in from the environment. */
export const env = (name: string): string => `\${${name}}`
