/** The call that asks a target to carry an answer on. */
import type { ChatCall, Message } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { Target } from '../../core/target.ts'
import { anchorOf } from './joint.ts'

/** Whether the target goes on with an assistant's turn that stands last, as if it had written it itself. */
export const continuesTurns = ({ capabilities, quirks }: Target): boolean =>
  capabilities.prefill === true || (capabilities.prefill !== false && quirks.prefixFlag !== undefined)

/** The answer is not free text: only a target that continues it exactly can carry it on. */
export const isStructured = ({ format }: ChatCall): boolean => format !== undefined && format.type !== 'text'

/** `text`: what the caller has of the answer. Throws `untranslatable` when this target cannot carry it on safely. */
export function continuedCall(call: ChatCall, text: string, target: Target): ChatCall {
  const said = text.trimEnd()
  if (said === '') return call
  const structured = isStructured(call)
  const exact = continuesTurns(target)
  if (structured && !exact)
    throw new GatewayError('untranslatable', `${target.provider} cannot carry on structured output that another target began.`)
  const answer: Message = { role: 'assistant', path: '', parts: [{ type: 'text', path: '', text: said }] }
  const settings = { ...call.settings, maxTokens: left(call.settings.maxTokens, said) }
  if (!exact) return { ...call, settings, messages: [...call.messages, answer, userMessage(goOn(said))] }
  const messages = structured ? withSchema(call) : call.messages
  return {
    ...call,
    settings,
    messages: [...messages, answer],
    // A format is enforced from an answer's first letter on, which is not what comes.
    format: undefined,
    // What thinks first does not go on with a sentence.
    reasoning: call.reasoning && { path: call.reasoning.path, on: false },
  }
}

const userMessage = (text: string): Message => ({ role: 'user', path: '', parts: [{ type: 'text', path: '', text }] })

const goOn = (said: string): string =>
  'Your last message was cut off by a technical fault. Carry it on from exactly where it stops, in the same language, form and ' +
  'style. First repeat its last words as they stand between the marks, then go on without a break. Say nothing about this ' +
  `request.\n\n<<<${anchorOf(said)}>>>`

function withSchema({ messages, format }: ChatCall): readonly Message[] {
  const schema = format?.type === 'schema' ? ` It matches this JSON Schema: ${JSON.stringify(format.schema)}` : ''
  const rule: Message = {
    role: 'system',
    path: format?.path ?? '',
    parts: [{ type: 'text', path: format?.path ?? '', text: `The answer is JSON and nothing else.${schema}` }],
  }
  return [rule, ...messages]
}

const CHARACTERS_PER_TOKEN = 4
/** Room to end a sentence, where the estimate says that there is none. */
const LEAST_TOKENS = 16

/** The limit holds for the whole answer. */
const left = (maxTokens: number | undefined, said: string): number | undefined =>
  maxTokens === undefined
    ? undefined
    : Math.max(Math.min(maxTokens, LEAST_TOKENS), maxTokens - Math.floor(said.length / CHARACTERS_PER_TOKEN))
