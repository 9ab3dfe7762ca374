/** Why a call goes where it goes: made by routing when it has something to decide, kept in the outcome, told by explain. */
import type { Candidate } from './target.ts'

export interface Judged {
  readonly provider: string
  readonly model: string
  readonly tier?: string
  /** Of the route itself, or of one behind it. */
  readonly place: 'route' | 'fallback'
  /** Why it is not tried. */
  readonly removed?: string
  /** What it is known to lack, for which it comes behind others. */
  readonly lacks?: readonly string[]
  /** By metric or feature, 0 to 1, and their weighted sum as `total`. */
  readonly scores?: Readonly<Record<string, number>>
  /** What was known of it when explaining. */
  readonly known?: Readonly<Record<string, number>>
  /** Warnings: it will be switched off, say. */
  readonly warning?: string
}

export interface Decision {
  readonly route: string
  readonly strategy: string
  readonly needs: {
    readonly features: readonly string[]
    readonly wishes: readonly string[]
    /** Estimated, where it had to be known. */
    readonly inputTokens?: number
    readonly outputTokens?: number
  }
  /** Every candidate, in the operator's order. */
  readonly candidates: readonly Judged[]
  /** What is tried, best first, as `provider/model`. */
  readonly order: readonly string[]
  /** Why the first stands first. */
  readonly reason: string
  readonly notes: readonly string[]
  /** What is to be warned of in the target that answers: it will be switched off, say. */
  warningOf?(candidate: Candidate): string | undefined
}
