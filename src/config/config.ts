/** The configuration once it has been read: every default filled in, units resolved, order kept. Made by `parseConfig`. */
import type { WireId } from '../core/call.ts'
import type { Constraints } from '../core/constraints.ts'
import type { JsonObject } from '../core/json.ts'
import type { Nanos } from '../core/money.ts'
import type { Preference } from '../core/preferences.ts'
import type { Priority } from '../core/priority.ts'
import type { PriceOverride } from '../core/rates.ts'
import type { BudgetRule, RateRule } from '../core/rules.ts'
import type { Retention } from '../core/steering.ts'
import type { RoutingStrategy } from '../routing/strategy.ts'
import type { AccessConfig } from './access.ts'
import type { ConfigOutput } from './schema.ts'
import type { ScoreConfig } from './schema-routing.ts'
import type { SecretsConfig } from './schema-secrets.ts'
import type { TlsConfig } from './schema-server.ts'

export interface Config {
  readonly server: ServerConfig
  /** `sqlite:PATH`, `postgres://…` or `memory:`. */
  readonly store: { readonly url: string }
  readonly shared: { readonly url: string; readonly onFailure: 'open' | 'closed' } | undefined
  readonly access: AccessConfig
  readonly admin: { readonly key: string; readonly console: boolean }
  readonly providers: ReadonlyMap<string, ProviderConfig>
  /** For direct addressing (`provider/model`); routes carry their own, already merged with these. */
  readonly defaults: RouteSettings
  readonly models: ReadonlyMap<string, RouteConfig>
  readonly secrets: SecretsConfig
  readonly money: MoneyConfig
  readonly reconcile?: ReconcileConfig | undefined
  readonly telemetry: { readonly log: 'off' | 'errors' | 'calls' }
  /** Who is told of what happens. */
  readonly events?: EventsConfig | undefined
  /** Refreshing the catalogue while the server runs. */
  readonly catalog?: CatalogConfig | undefined
  /** Failover drills on a schedule. */
  readonly drills?: DrillsConfig | undefined
  /** Sections whose engines come later, validated and with defaults filled in. */
  readonly later: { readonly [Section in LaterSection]: JsonObject | readonly JsonObject[] | undefined }
}

/** In the order in which they are tried. */
export const drillFaultNames = ['error', 'rate-limit', 'slow', 'stall', 'truncate', 'bad-json', 'refused'] as const
export type DrillFault = (typeof drillFaultNames)[number]

export interface CatalogConfig {
  readonly refreshMs: number
  /** Undefined: the public source. */
  readonly url: string | undefined
}

/** Types of events that a webhook may be told of. */
export const eventTypes = ['budget-warning', 'budget-exceeded'] as const

export interface EventsConfig {
  readonly webhook: {
    readonly url: string
    readonly secret: string | undefined
    readonly when: readonly (typeof eventTypes)[number][]
  }
}

export interface DrillsConfig {
  readonly everyMs: number
  /** Undefined: every route. */
  readonly routes: readonly string[] | undefined
  readonly faults: readonly DrillFault[] | undefined
  readonly live: boolean
  /** Milliseconds. */
  readonly waitMs: number | undefined
  readonly webhook: { readonly url: string; readonly secret: string | undefined; readonly when: 'failed' | 'always' } | undefined
}

export const laterSections = ['guards', 'cache', 'tiers', 'mcp', 'prompts', 'workflows'] as const
export type LaterSection = (typeof laterSections)[number]

export interface ServerConfig {
  readonly host: string
  /** 0 asks the system for a free one. */
  readonly port: number
  readonly threads: number
  readonly drainMs: number
  /** Bytes, but for `depth` (levels of nesting) and `calls`. */
  readonly limits: {
    readonly body: number
    readonly answer: number
    readonly event: number
    readonly calls: number
    readonly held: number
    readonly depth: number
  }
  /** Absent: plain HTTP. */
  readonly tls?: TlsConfig | undefined
}

export interface ProviderConfig {
  /** An id of the catalogue, or one of the generic presets. */
  readonly preset: string
  /** Variables are already filled in. Undefined: the preset's. */
  readonly baseUrl: string | undefined
  /** Forces one wire. Undefined: the caller's own where the provider speaks it. */
  readonly wire: WireId | undefined
  /** References (`env:NAME`), in order of preference; plaintext only where `secrets.allowPlaintext` says so. */
  readonly keys: readonly string[]
  readonly region: string | undefined
  readonly trust: string | undefined
  readonly retention: Retention | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly body: JsonObject | undefined
}

export interface RouteSettings {
  /** Attempts on one target, the first included. */
  readonly retries: { readonly attempts: number }
  readonly timeouts: TimeoutConfig
  readonly breaker: { readonly enabled: boolean }
  /** What follows when a stream breaks after its first event. */
  readonly onBreak: OnBreak
  /** When a stream is handed to the caller. */
  readonly commit: CommitConfig
  /** What follows when a provider's own content policy refuses a request. */
  readonly onPolicy: OnPolicy
}

export interface CommitConfig {
  /** So long after its first event a stream may still go to another target unseen. Undefined: not at all. */
  readonly holdMs: number | undefined
  /** Pieces of output that must come meanwhile. */
  readonly events: number | undefined
}

/** Milliseconds. Undefined: the operator did not say, so the model's own default holds (`timeoutDefaults`, `reasoningTimeouts`). */
export interface TimeoutConfig {
  readonly connectMs: number | undefined
  readonly firstTokenMs: number | undefined
  readonly idleMs: number | undefined
  readonly answerMs: number | undefined
  readonly totalMs: number | undefined
}

export const timeoutDefaults = { connectMs: 2_000, firstTokenMs: 60_000, idleMs: 30_000, answerMs: 300_000, totalMs: 600_000 } as const
/** Models known to reason are silent for longer. */
export const reasoningTimeouts = { ...timeoutDefaults, firstTokenMs: 180_000, idleMs: 120_000 } as const

export const onBreaks = ['error', 'restart', 'continue'] as const
export type OnBreak = (typeof onBreaks)[number]

export const onPolicies = ['refuse', 'next'] as const
export type OnPolicy = (typeof onPolicies)[number]

export const strategies = ['priority', 'weighted', 'round-robin', 'least-latency', 'cheapest', 'least-busy', 'adaptive', 'sticky'] as const
export type StrategyName = (typeof strategies)[number]

export interface RouteConfig extends RouteSettings {
  /** One that ships, by name, or the operator's own. */
  readonly strategy: StrategyName | RoutingStrategy | ScoreConfig
  /** A second target is asked when the first is slow. */
  readonly hedge: boolean
  /** Where not all calls can be served, which go first. */
  readonly priority: Priority
  readonly targets: readonly TargetConfig[]
  /** Targets and groups in the operator's order, where there are groups. */
  readonly members?: readonly (TargetConfig | GroupConfig)[]
  readonly pool?: PoolConfig
  readonly constraints?: Constraints
  readonly prefer?: readonly Preference[]
  /** Routes that are tried when every target of this one has failed, in order. */
  readonly fallback: readonly string[]
}

/** Another route as a target: its own strategy chooses within. */
export interface GroupConfig {
  readonly route: string
  readonly weight: number
  readonly when: string | undefined
}

export const poolCategories = ['chat', 'code', 'reasoning', 'vision', 'documents', 'audio', 'tools', 'structured', 'long-context'] as const
export type PoolCategory = (typeof poolCategories)[number]

export interface PoolConfig {
  readonly category: PoolCategory
  readonly size: number
}

export interface TierConfig {
  /** Routes. */
  readonly models: readonly string[]
  readonly next: string | undefined
}

export interface TargetConfig {
  readonly provider: string
  readonly model: string
  readonly weight: number
  /** A CEL expression. */
  readonly when?: string | undefined
  readonly wire: WireId | undefined
  readonly price: PriceOverride | undefined
  /** Over the provider's own. */
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly body: JsonObject | undefined
}

/** The ledger held against providers' statements. */
export interface ReconcileConfig {
  readonly everyMs: number
  readonly days: number
  readonly lagMs: number
  readonly tolerance: { readonly relative: number; readonly cost: Nanos; readonly tokens: number }
  readonly sources: NonNullable<ConfigOutput['reconcile']>['sources']
  readonly webhook: { readonly url: string; readonly secret: string | undefined; readonly when: 'drift' | 'always' } | undefined
}

/** Limits, and what is held, refused and written down. */
export interface MoneyConfig {
  readonly budgets: readonly BudgetRule[]
  readonly limits: readonly RateRule[]
  readonly prices: ConfigOutput['prices']
  readonly reservation: Omit<ConfigOutput['reservation'], 'queue'> & { readonly queueMs: number }
  readonly ledger: ConfigOutput['ledger']
}

/** One thing wrong with a configuration. */
export interface Problem {
  /** Where: `models.fast.targets[0].provider`; empty for the whole. */
  readonly path: string
  readonly message: string
  /** What to do about it. */
  readonly remedy?: string | undefined
  /** Place in the file, from 1. */
  readonly line?: number | undefined
  readonly column?: number | undefined
}

/** Something valid that does not do anything yet. */
export interface Notice {
  readonly path: string
  readonly message: string
}
