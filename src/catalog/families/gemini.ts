/** Gemini and Gemma: budgets or levels of thinking, signatures, and where the system prompt goes. */
import type { Effort } from '../../core/call.ts'
import type { Capabilities } from '../../core/target.ts'
import { type Family, versionOf } from './family.ts'

const versioned = /^gemini-(\d)(?:[.-](\d{1,2})(?!\d))?(?:-(.*))?$/
/** Names without a version: always the newest of their line. */
const rolling = /^gemini-(pro|flash|flash-lite)-latest$/
/** Models that draw or speak: their thinking and tools are not those of their line. */
const notText = /(?:^|-)(?:image|tts|live|audio|embedding|computer|robotics|nano)(?:-|$)/

export const gemini: Family = (name) => {
  if (/^gemma-/.test(name)) return { systemPrompt: false }
  const latest = rolling.exec(name)
  if (latest) return level(latest[1]!, latest[1] === 'flash' ? 307 : 305, latest[1]!)
  const match = versioned.exec(name)
  if (!match) return undefined
  const version = versionOf(match[1], match[2])
  const variant = match[3] ?? ''
  if (notText.test(variant)) return { jsonSchemaWithTools: version >= 300, toolResultMedia: version >= 300 }
  if (version >= 300) return level(variant, version, variant)
  const shared: Capabilities = { jsonSchema: version >= 200, jsonSchemaWithTools: false, toolResultMedia: false }
  if (version < 205) return { ...shared, reasoning: false }
  return {
    ...shared,
    reasoning: true,
    thinkingBudget: budgetOf(variant),
    // The developer API refuses them.
    refuses: ['presencePenalty', 'frequencyPenalty'],
  }
}

function budgetOf(variant: string): { readonly min: number; readonly max: number } {
  if (variant.startsWith('pro')) return { min: 128, max: 32_768 }
  // Thinking can be switched off (0) on these; the lite line's smallest budget that is not zero is 512.
  return { min: 0, max: 24_576 }
}

function level(line: string, version: number, variant: string): Capabilities {
  return {
    reasoning: true,
    efforts: levelsOf(line, version, variant),
    jsonSchema: true,
    jsonSchemaWithTools: true,
    needsThoughtSignature: true,
    toolResultMedia: true,
    maxOutput: 65_536,
  }
}

function levelsOf(line: string, version: number, variant: string): readonly Effort[] {
  if (version >= 400 && variant.startsWith('hydrogen')) return ['low', 'medium', 'high', 'xhigh']
  const flash = /^flash(?!-lite)/.test(line)
  const withoutMinimal = line.startsWith('pro') || (flash && version >= 307)
  return withoutMinimal ? ['low', 'medium', 'high'] : ['minimal', 'low', 'medium', 'high']
}
