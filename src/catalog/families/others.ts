/** Families whose name tells little, but something that a provider would answer with 400. */
import { type Family, versionOf } from './family.ts'

/** DeepSeek: V3.1 and later think on request, the reasoner always. */
export const deepseek: Family = (name) => {
  const match = /^deepseek-v(\d)(?:[.-](\d)(?!\d))?/.exec(name)
  if (match) {
    const version = versionOf(match[1], match[2])
    if (version < 301) return { reasoning: false }
    return version >= 400 ? { reasoning: true, efforts: ['none', 'low', 'high', 'max'] } : { reasoning: true }
  }
  return /^deepseek-(?:reasoner|r1)(?:-|$)/.test(name) ? { reasoning: true } : undefined
}

/** Grok 4.20's two kinds think or do not, and neither takes a level. */
export const grok: Family = (name) => {
  const match = /^grok-4[.-]20(?:-\d+)?(-non)?-reasoning/.exec(name)
  if (match) return match[1] ? { reasoning: false, efforts: [] } : { reasoning: true, efforts: [] }
  return /^grok-4(?:-|$)/.test(name) && !/non-reasoning/.test(name) ? { reasoning: true } : undefined
}

/** Open-weight GPTs think at three levels and sample freely. */
export const gptOss: Family = (name) => (/^gpt-oss(?:-|$)/.test(name) ? { reasoning: true, efforts: ['low', 'medium', 'high'] } : undefined)

/** Qwen's kinds that always think say so in their name; for the others the facts know. */
export const qwen: Family = (name) => (/^qwq(?:-|$)|^qwen.*-thinking(?:-|$)/.test(name) ? { reasoning: true } : undefined)

export const magistral: Family = (name) => (/^magistral(?:-|$)/.test(name) ? { reasoning: true } : undefined)
