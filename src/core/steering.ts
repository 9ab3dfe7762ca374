/** What a request asks of routing in the words of another gateway (OpenRouter, LiteLLM, Portkey). Made by ingress, read by routing. */
import type { JsonObject } from './json.ts'

export interface SteeringName {
  /** As a client would name the model: a route, or `provider/model`. */
  readonly name: string
  /** Where it stood in the request. */
  readonly path: string
}

/** How a provider treats what it is sent, from least to most that it keeps. */
export const retentions = ['zero', 'limited', 'standard', 'training'] as const
export type Retention = (typeof retentions)[number]

export type SortBy = 'price' | 'latency' | 'throughput'

/** A Portkey config: where to go, and how to choose among several. */
export interface SteeringGroup {
  readonly mode: 'single' | 'fallback' | 'loadbalance'
  readonly members: readonly (SteeringGroup | SteeringTarget)[]
  readonly weight: number
}
export interface SteeringTarget extends SteeringName {
  /** The provider's id, its preset, or the name it has elsewhere. Undefined: the name says it all. */
  readonly provider?: string
  readonly weight: number
  /** Fields set in the body to this target. */
  readonly body?: JsonObject
  /** Attempts, the first included. */
  readonly attempts?: number
}

export interface Steering {
  /** The model to ask for, where it is not what stands in `model`: a suffix is taken off. */
  readonly model?: string
  /** The model stands in no field of its own: it is the first of a list, and the next one does as well. */
  readonly implied?: boolean
  /** Tried behind the model, in order. */
  readonly fallbacks: readonly SteeringName[]
  /** Provider ids. */
  readonly order?: readonly string[]
  readonly only?: readonly string[]
  readonly ignore?: readonly string[]
  /** False: nothing but what `order` names. */
  readonly allowFallbacks?: boolean
  readonly sort?: SortBy
  /** USD per million tokens. */
  readonly maxPrice?: { readonly input?: number; readonly output?: number }
  /** Only targets that can be told everything that the request says. */
  readonly requireParameters?: boolean
  /** The most that a provider may keep. */
  readonly retention?: Retention
  readonly tags?: readonly string[]
  /** Instead of `model`. */
  readonly group?: SteeringGroup
  /** Milliseconds for the call as a whole. */
  readonly timeoutMs?: number
  /** Top-level members of the body that steer: they go upstream only where the target understands them itself. */
  readonly fields: readonly string[]
  /** Tags stand in `metadata`, where some vendors take text only. */
  readonly taggedMetadata?: boolean
  /** Parts of it that have no counterpart here: path and reason. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[]
}
