/** Claude: which thinking switches, levels and settings each version takes. */
import type { Effort } from '../../core/call.ts'
import type { Capabilities } from '../../core/target.ts'
import { type Family, versionOf } from './family.ts'

const newer = /^claude-(opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?:[-.](\d{1,2}))?(?![\d])/
const older = /^claude-(\d)(?:[-.](\d{1,2}))?-(opus|sonnet|haiku)(?![a-z])/

export const claude: Family = (name) => {
  const match = newer.exec(name)
  if (match) return capabilitiesOf(match[1]!, versionOf(match[2], match[3]))
  const old = older.exec(name)
  return old ? capabilitiesOf(old[3]!, versionOf(old[1], old[2])) : undefined
}

function capabilitiesOf(line: string, version: number): Capabilities {
  const adaptive = version >= 406
  const efforts = effortsOf(line, version)
  const maxOutput = maxOutputOf(line, version)
  const modes = modesOf(line, version)
  return {
    tools: true,
    toolResultMedia: true,
    reasoning: version >= 307,
    thinkingModes: modes,
    efforts,
    maxOutput,
    jsonSchema: version >= 405 || (line === 'opus' && version === 401),
    jsonSchemaWithTools: version >= 405 || (line === 'opus' && version === 401),
    prefill: !adaptive,
    midSystem: version >= 408,
    ...(modes.includes('enabled') && { thinkingBudget: { min: 1024, max: maxOutput - 1 } }),
    ...(version >= 407 && { sampling: false }),
    ...(rejectsForcedTools(line, version) && { forcedToolChoice: false }),
  }
}

function modesOf(line: string, version: number): readonly string[] {
  if (version < 307) return []
  if (version < 406) return ['enabled', 'disabled']
  if (line === 'fable') return ['adaptive']
  if (version >= 505 && line === 'sonnet') return ['adaptive', 'between_tools']
  if (version >= 505 && line === 'opus') return ['adaptive']
  if (version >= 505 && line === 'haiku') return ['adaptive', 'disabled']
  return ['adaptive', 'enabled', 'disabled']
}

// `none` is not among them: thinking is switched off by a mode, not by a level.
function effortsOf(line: string, version: number): readonly Effort[] {
  if (version >= 407) return ['low', 'medium', 'high', 'xhigh', 'max']
  if (version >= 406) return ['low', 'medium', 'high', 'max']
  return version === 405 && line === 'opus' ? ['low', 'medium', 'high'] : []
}

function maxOutputOf(line: string, version: number): number {
  if (version >= 406) return 128_000
  if (version >= 405) return 64_000
  if (version >= 400) return line === 'opus' ? 32_000 : 64_000
  if (version >= 307) return 64_000
  return version >= 305 ? 8192 : 4096
}

const rejectsForcedTools = (line: string, version: number): boolean =>
  (version >= 505 && (line === 'opus' || line === 'sonnet')) || (version >= 501 && line === 'fable')
