/** What explain answers: the decision in words, with what was known of each candidate. Pure. */
import type { Decision } from '../../core/decision.ts'
import type { GatewayError } from '../../core/error.ts'
import type { Plan } from '../../core/health.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Route } from '../routes.ts'

export interface Explanation {
  readonly model: string
  readonly route?: Route
  readonly plan?: Plan
  readonly decision: Decision | undefined
  /** Why nothing can be called. */
  readonly error?: GatewayError
}

export function explanationBody({ model, route, plan, decision, error }: Explanation): JsonObject {
  const ready = plan?.ready ?? 0
  return {
    object: 'route.explanation',
    model,
    route: decision?.route ?? route?.name ?? null,
    strategy: decision?.strategy ?? null,
    needs: { ...decision?.needs },
    order: (plan?.candidates ?? []).map(({ provider, model: name, tier }, index) => ({
      provider,
      model: name,
      ...(tier !== undefined && { tier }),
      ...(index >= ready && { resting: true }),
    })),
    reason: decision?.reason ?? null,
    candidates: (decision?.candidates ?? []).map((judged) => ({
      ...judged,
      lacks: judged.lacks ?? [],
      scores: { ...judged.scores },
      known: { ...judged.known },
    })),
    notes: [...(decision?.notes ?? []), ...(route?.strategy.spreads ? ['the strategy spreads calls: another one may go elsewhere'] : [])],
    ...(error && { error: { code: error.code, message: error.message } }),
  }
}
