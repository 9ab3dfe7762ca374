/** Tool names under a wire's rules, one to one, and the way back. */
import type { ChatCall, Tool } from '../core/call.ts'
import { digestWord } from '../core/id.ts'

export interface NameRules {
  /** Characters that may stand anywhere in a name. */
  readonly legal: RegExp
  readonly max: number
  /** What a name may begin with, where that is narrower. */
  readonly first?: RegExp
}

/** The provider's tool as the client knows it. */
export interface ClientTool {
  readonly name: string
  readonly namespace?: string
  readonly freeform?: boolean
}

export interface ToolNames {
  /** The name to send for a client's tool or call. */
  sent(name: string, namespace?: string): string
  /** What the client calls a tool that the provider names. */
  received(name: string): ClientTool | undefined
  /** True when some name differs, or some tool is freeform: then replies must be restored. */
  readonly changed: boolean
}

const key = (name: string, namespace: string | undefined): string => (namespace === undefined ? name : `${namespace}\n${name}`)

export function toolNames(call: ChatCall, { legal, max, first }: NameRules): ToolNames {
  const byClient = new Map<string, string>()
  const byProvider = new Map<string, ClientTool>()
  let changed = false
  const fits = (name: string): boolean =>
    name !== '' && name.length <= max && [...name].every((character) => legal.test(character)) && (!first || first.test(name[0] ?? ''))

  const add = ({ name, namespace, freeform }: ClientTool): string => {
    const known = byClient.get(key(name, namespace))
    if (known !== undefined) return known
    const plain = namespace === undefined ? name : `${namespace}__${name}`
    let sent = plain
    if (!fits(plain) || byProvider.has(plain)) {
      let clean = [...plain].map((character) => (legal.test(character) ? character : '_')).join('')
      if (first && !first.test(clean[0] ?? '')) clean = `_${clean}`
      sent =
        clean.length <= max && fits(clean) && !byProvider.has(clean)
          ? clean
          : `${clean.slice(0, max - 10)}_${digestWord(key(name, namespace))}`
    }
    byClient.set(key(name, namespace), sent)
    byProvider.set(sent, { name, namespace, freeform })
    if (sent !== name || namespace !== undefined || freeform) changed = true
    return sent
  }

  // Names that fit come first, so that they keep themselves when another has to give way.
  const named = call.tools.filter((tool): tool is Exclude<Tool, { type: 'hosted' }> => tool.type !== 'hosted')
  const clientTool = (tool: (typeof named)[number]): ClientTool => ({
    name: tool.name,
    namespace: tool.namespace,
    freeform: tool.type === 'freeform' || undefined,
  })
  for (const tool of named) if (tool.namespace === undefined && fits(tool.name)) add(clientTool(tool))
  for (const tool of named) add(clientTool(tool))

  return {
    sent: (name, namespace) => byClient.get(key(name, namespace)) ?? add({ name, namespace }),
    received: (name) => byProvider.get(name),
    get changed() {
      return changed
    },
  }
}
