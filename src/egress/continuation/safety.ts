/** Whether an answer that broke off may be carried on by another target. Where in doubt it may not. */
import type { ChatCall } from '../../core/call.ts'
import type { GatewayError } from '../../core/error.ts'
import type { Told } from './told.ts'

/** Why not; undefined when it may. */
export function unsafe(told: Told, call: ChatCall): string | undefined {
  const { kinds } = told
  // A call that is half told cannot be finished by another model, and one that is told may already be acted on.
  if (kinds.has('tool-call')) return 'a tool call had begun'
  if (kinds.has('whole')) return 'it holds more than words'
  if (kinds.has('refusal')) return 'the model was refusing'
  if ((call.settings.n ?? 1) > 1) return 'several answers were asked for at once'
  if (call.settings.modalities?.some((modality) => modality !== 'text')) return 'it is more than text'
  return undefined
}

/** Whether another target may do better: not when the call itself is at fault, or nobody waits any more. */
export const mayGoOn = (error: GatewayError): boolean => error.fault.retry !== 'never'
