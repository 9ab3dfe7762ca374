/** Tool names and call ids under this wire's rules. Namespaces and freeform tools are native here. */
import type { ChatCall, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { digestWord } from '../../core/id.ts'
import type { Restoration } from '../restore.ts'
import { type ToolNames, toolNames } from '../tool-names.ts'

const RULES = { legal: /[a-zA-Z0-9_-]/, max: 128 }
const MAX_CALL_ID = 64

export interface Names {
  sent(name: string, namespace?: string): string
  isFreeform(name: string): boolean
  /** Given back by the provider, when some name had to change. */
  restoration(): Restoration | undefined
}

export function namesOf(call: ChatCall): Names {
  const own = call.wire === 'openai-responses'
  const plain: ToolNames = toolNames(
    { ...call, tools: call.tools.filter((tool) => tool.type === 'hosted' || tool.namespace === undefined) },
    RULES,
  )
  const freeform = new Set(call.tools.filter((tool) => tool.type === 'freeform').map((tool) => tool.name))
  let renamed = false
  return {
    sent(name, namespace) {
      // What a client of this wire names goes as it is: its provider knows the rules better.
      if (own || namespace !== undefined) return name
      const sent = plain.sent(name)
      if (sent !== name) renamed = true
      return sent
    },
    isFreeform: (name) => freeform.has(name),
    restoration: () => (renamed ? { tools: (name) => plain.received(name) } : undefined),
  }
}

export interface CallIds {
  /** The id of a call, made up where the client gave none, shortened where it is too long. */
  ofCall(part: ToolCallPart): string
  /** The id under which its call was sent; undefined when no call before it fits. */
  ofResult(part: ToolResultPart): string | undefined
}

export function callIds(): CallIds {
  const open: { readonly id: string; readonly sent: string; readonly name: string; answered: boolean }[] = []
  return {
    ofCall({ id, name }) {
      const sent = id === '' ? `call_${digestWord(`${open.length} ${name}`)}` : short(id)
      open.push({ id, sent, name, answered: false })
      return sent
    },
    ofResult({ id, name }) {
      const fits =
        id === '' ? open.filter((one) => !one.answered && (name === undefined || one.name === name)) : open.filter((one) => one.id === id)
      const nameless = id === '' ? fits : fits.length > 0 ? fits : open.filter((one) => one.id === '' && one.name === name)
      const found = nameless.find((one) => !one.answered) ?? nameless.at(-1)
      if (!found) return undefined
      found.answered = true
      return found.sent
    },
  }
}

const short = (id: string): string => (id.length <= MAX_CALL_ID ? id : `call_${digestWord(id, 13)}`)
