/** OpenAI's models: which think, at which levels, and whether sampling may be set. */
import type { Effort } from '../../core/call.ts'
import type { Capabilities } from '../../core/target.ts'
import { type Family, versionOf } from './family.ts'

const series = /^o([1-9])(?:-(.*))?$/
const gpt = /^gpt-(\d)(?!\d)(?:[.-](\d)(?!\d))?(?:-(.*))?$/
/** Products that share the prefix but are not chat models of their line. */
const notText = /(?:^|-)(?:image|realtime|live|transcribe|tts|audio|search|embedding|instruct)(?:-|$)/

export const openai: Family = (name) => {
  const o = series.exec(name)
  if (o) return thinking(oSeriesEfforts(o[1]!, o[2] ?? ''), false)
  const match = gpt.exec(name)
  if (!match || notText.test(match[3] ?? '')) return undefined
  const version = versionOf(match[1], match[2])
  const variant = (match[3] ?? '').replace(/-?\d{4}-\d{2}-\d{2}$/, '')
  if (version < 500) return { reasoning: false, ...(version >= 401 && { jsonSchema: true, jsonSchemaWithTools: true }) }
  if (variant.startsWith('chat')) return version === 500 ? { reasoning: false, developerRole: true } : thinking(undefined, false)
  return thinking(effortsOf(version, variant), samplesWhenOff(version, variant))
}

function thinking(efforts: readonly Effort[] | undefined, whenOff: boolean): Capabilities {
  return {
    reasoning: true,
    developerRole: true,
    jsonSchema: true,
    jsonSchemaWithTools: true,
    sampling: false,
    refuses: ['stop', 'presencePenalty', 'frequencyPenalty', 'logitBias', ...(whenOff ? [] : ['logprobs', 'topLogprobs'])],
    ...(whenOff && { samplingWithoutReasoning: true }),
    ...(efforts && { efforts }),
  }
}

// o1-mini and o1-preview think, but take no level.
const oSeriesEfforts = (generation: string, variant: string): readonly Effort[] =>
  generation === '1' && /^(?:mini|preview)/.test(variant) ? [] : variant.startsWith('pro') ? ['high'] : ['low', 'medium', 'high']

function effortsOf(version: number, variant: string): readonly Effort[] | undefined {
  if (version >= 600) {
    const switchable = (version === 600 && /^(?:sol|luna)/.test(variant)) || (version === 601 && variant.startsWith('terra'))
    return switchable ? ['none', 'low', 'medium', 'high', 'xhigh', 'max'] : ['low', 'medium', 'high', 'xhigh', 'max']
  }
  if (variant.startsWith('pro')) return version === 500 ? ['high'] : ['medium', 'high', 'xhigh']
  if (variant.startsWith('codex'))
    return version >= 502 || variant.startsWith('codex-max') ? ['low', 'medium', 'high', 'xhigh'] : ['low', 'medium', 'high']
  if (version >= 506) return ['none', 'low', 'medium', 'high', 'xhigh', 'max']
  if (version >= 502) return ['none', 'low', 'medium', 'high', 'xhigh']
  if (version >= 501) return ['none', 'low', 'medium', 'high']
  return ['minimal', 'low', 'medium', 'high']
}

const samplesWhenOff = (version: number, variant: string): boolean => effortsOf(version, variant)?.[0] === 'none'
