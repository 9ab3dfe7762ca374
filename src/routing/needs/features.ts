/** Whether a target is known to lack what a request needs. */
import type { WireId } from '../../core/call.ts'
import type { Feature } from '../../core/features.ts'
import type { Candidate, Capabilities } from '../../core/target.ts'

/** True only when it is known to be missing: what nobody knows is assumed. */
export function lacks({ wires, on }: Candidate, feature: Feature): boolean {
  const capabilities = on(wires[0] ?? 'openai-chat').capabilities
  switch (feature) {
    case 'tools':
      return capabilities.tools === false
    case 'forced_tool':
      return capabilities.tools === false || capabilities.forcedToolChoice === false
    case 'parallel_tools':
      return capabilities.tools === false || refuses(capabilities, 'parallelTools')
    case 'json_schema':
      return capabilities.jsonSchema === false
    case 'json_schema_with_tools':
      return capabilities.jsonSchema === false || capabilities.tools === false || capabilities.jsonSchemaWithTools === false
    case 'reasoning':
      return capabilities.reasoning === false
    case 'logprobs':
      return refuses(capabilities, 'logprobs') || !wires.some((wire) => tellsLogprobs.has(wire))
    case 'image':
    case 'pdf':
    case 'audio':
    case 'video':
      return without(capabilities.inputModalities, feature)
    case 'image_output':
      return without(capabilities.outputModalities, 'image')
    case 'audio_output':
      return without(capabilities.outputModalities, 'audio')
    case 'streaming':
      // Every wire that is spoken has streams.
      return false
    default:
      feature satisfies never
      return false
  }
}

const tellsLogprobs: ReadonlySet<WireId> = new Set(['openai-chat', 'openai-responses', 'gemini'])
const refuses = ({ refuses: names }: Capabilities, name: string): boolean => names?.includes(name) ?? false
const without = (known: readonly string[] | undefined, name: string): boolean => known !== undefined && !known.includes(name)
