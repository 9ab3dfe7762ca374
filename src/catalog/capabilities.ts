/**
 * What a model takes: the catalogue's facts, over them what its family's name says, and over both what its host allows. A name that none of them knows has no
 * capabilities written down, which means that it is assumed capable of everything.
 */
import type { Effort } from '../core/call.ts'
import type { Capabilities } from '../core/target.ts'
import type { Catalog } from './catalog.ts'
import { claude } from './families/claude.ts'
import { bareName, type Family } from './families/family.ts'
import { gemini } from './families/gemini.ts'
import { openai } from './families/openai.ts'
import { deepseek, gptOss, grok, magistral, qwen } from './families/others.ts'
import { hosts } from './presets/hosts.ts'
import { canonicalProvider } from './presets/providers.ts'
import type { ModelEntry } from './types.ts'

const families: readonly Family[] = [claude, gemini, openai, gptOss, deepseek, grok, qwen, magistral]
/** Families whose rules are as fine as the facts and newer. */
const firm: readonly Family[] = [claude, deepseek]

export function capabilitiesOf(provider: string, model: string, catalog: Pick<Catalog, 'model'>): Capabilities {
  const entry = catalog.model(provider, model)
  const known = knownOf(model, entry)
  const id = entry?.provider ?? canonicalProvider(provider)
  const host = Object.hasOwn(hosts, id) ? hosts[id]?.(bareName(model)) : undefined
  return host ? { ...known, ...host } : known
}

function knownOf(model: string, entry: ModelEntry | undefined): Capabilities {
  const facts = entry ? factsOf(entry) : {}
  const family = familyOf(model)
  if (!family) return facts
  const { rules, overFacts } = family
  const merged: Record<string, unknown> = { ...facts, ...rules }
  // A host may allow less output than the family can give, never more.
  if (facts.maxOutput !== undefined && rules.maxOutput !== undefined) merged['maxOutput'] = Math.min(facts.maxOutput, rules.maxOutput)
  // Facts name levels model by model; most rules know only the family's.
  if (facts.efforts && facts.efforts.length > 0 && !overFacts) merged['efforts'] = facts.efforts
  // Facts of a rolling name may describe an older model: where the family takes levels, no budget is left over.
  if (rules.efforts && rules.efforts.length > 0 && !rules.thinkingBudget) delete merged['thinkingBudget']
  if (facts.tools === false) merged['tools'] = false
  return merged as Capabilities
}

/** Models that think before they answer: their first event takes longer. */
export const isReasoningModel = (provider: string, model: string, catalog: Pick<Catalog, 'model'>): boolean =>
  capabilitiesOf(provider, model, catalog).reasoning === true

/** What the name alone says; undefined when no family knows it. */
function familyOf(model: string): { readonly rules: Capabilities; readonly overFacts: boolean } | undefined {
  const name = bareName(model)
  for (const family of families) {
    const rules = family(name)
    if (rules) return { rules, overFacts: firm.includes(family) }
  }
  return undefined
}

function factsOf(entry: ModelEntry): Capabilities {
  const { contextWindow, maxOutput, inputModalities, outputModalities, tools, reasoning, jsonSchema, sampling, thinkingBudget } = entry
  const efforts = effortsOf(entry)
  return {
    ...(contextWindow !== undefined && { contextWindow }),
    ...(maxOutput !== undefined && { maxOutput }),
    ...(inputModalities.length > 0 && { inputModalities }),
    ...(outputModalities.length > 0 && { outputModalities }),
    ...(tools !== undefined && { tools }),
    ...(reasoning !== undefined && { reasoning }),
    ...(jsonSchema !== undefined && { jsonSchema }),
    ...(sampling === false && { sampling: false }),
    ...(efforts && { efforts }),
    ...(thinkingBudget && {
      thinkingBudget: { min: thinkingBudget.min ?? 0, max: thinkingBudget.max ?? (maxOutput ?? Number.MAX_SAFE_INTEGER) - 1 },
    }),
  }
}

/** A model that only has a switch takes no level, but what it would do with one is not known: then nothing is said. */
function effortsOf({ efforts, reasoningToggle }: ModelEntry): readonly Effort[] | undefined {
  if (!efforts) return undefined
  return reasoningToggle && efforts.length > 0 && !efforts.includes('none') ? ['none', ...efforts] : efforts
}
