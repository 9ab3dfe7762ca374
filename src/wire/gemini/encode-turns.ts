/**
 * The conversation as Gemini's turns: user and model by turns, the user first; every call turn is followed by one user turn that
 * holds all its results; system texts stand apart, or where they came as a reminder in the user's words.
 */
import type { ChatCall, Message, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { at, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import type { ToolNames } from '../tool-names.ts'
import { MADE_ID } from './decode-call.ts'
import { callPartOf, contentParts, extrasOf, resultParts, signatureMember } from './encode-content.ts'

export interface EncodeContext {
  readonly call: ChatCall
  readonly target: Target
  readonly notes: Notes
  readonly names: ToolNames
  /** The call came in this dialect: it goes back as it was. */
  readonly own: boolean
}

interface Turn {
  readonly role: 'user' | 'model'
  readonly parts: JsonObject[]
  /** Results that stand before everything else in a user turn. */
  readonly results: JsonObject[]
  readonly extras?: JsonObject
}

/** Any signature is checked, and this one is let through: for calls whose own is not known. */
const UNSIGNED = 'skip_thought_signature_validator'

export interface Conversation {
  readonly contents: JsonObject[]
  readonly systemInstruction?: JsonObject
}

export function conversationOf(context: EncodeContext): Conversation {
  return context.own ? ownConversation(context) : new Turns(context).read()
}

/** Turn by turn, as the client wrote it. */
function ownConversation(context: EncodeContext): Conversation {
  const { call, notes } = context
  const contents: { role: string; parts: JsonObject[]; path: string }[] = []
  let systemInstruction: JsonObject | undefined
  for (const message of call.messages) {
    const extras = notes.extrasOf(message, call, 'gemini') ?? {}
    const parts = message.parts.flatMap((part): JsonObject[] => {
      if (part.type === 'tool-call') return [callPartOf(part, ownId(part.id), part.name, context)]
      if (part.type === 'tool-result') return [resultParts(part, ownId(part.id), part.name ?? '', context).response]
      return contentParts(part, context)
    })
    const last = contents.at(-1)
    if (message.role === 'system') systemInstruction = { ...message.own, parts, ...extras }
    else {
      const role = message.role === 'assistant' ? 'model' : 'user'
      // One turn of the client's was split when it held both sides.
      if (last && last.path === message.path && last.role === role) last.parts.push(...parts)
      else contents.push({ role, parts, ...extras, path: message.path })
    }
  }
  return { contents: contents.map(({ path: _path, ...turn }) => turn), ...(systemInstruction && { systemInstruction }) }
}

const ownId = (id: string): string | undefined => (id === '' || id.startsWith(MADE_ID) ? undefined : id)

class Turns {
  readonly #context: EncodeContext
  readonly #turns: Turn[] = []
  /** Calls of the latest call turn, and the results found for them anywhere after it. */
  #calls: ToolCallPart[] = []
  /** System texts that wait for the next user turn. */
  #reminders: JsonObject[] = []
  readonly #results = new Map<ToolCallPart, ToolResultPart>()
  readonly #placed = new Map<ToolResultPart, Turn>()

  constructor(context: EncodeContext) {
    this.#context = context
    this.#pair()
  }

  read(): Conversation {
    const { call, target, notes } = this.#context
    const opening = call.messages.findIndex(({ role }) => role !== 'system')
    const leading = opening < 0 ? call.messages : call.messages.slice(0, opening)
    const rest = opening < 0 ? [] : call.messages.slice(opening)
    const instructions = leading.flatMap((message) => this.#systemParts(message))
    for (const message of rest) this.#message(message)
    this.#closeCalls(rest.at(-1)?.role !== 'assistant')
    if (this.#reminders.length > 0) this.#turn('user')
    let systemInstruction: JsonObject | undefined
    if (instructions.length > 0) {
      if (opening < 0 || target.capabilities.systemPrompt === false) {
        for (const { path } of leading) notes.dropped(path, 'in the first user turn')
        const first = this.#turns[0]
        if (first?.role === 'user') first.parts.unshift(...instructions)
        else this.#turns.unshift({ role: 'user', parts: instructions, results: [] })
      } else systemInstruction = { parts: instructions }
    }
    if (this.#turns[0]?.role === 'model') {
      notes.dropped(rest[0]?.path ?? 'messages', 'a user turn was put before it')
      this.#turns.unshift({ role: 'user', parts: [{ text: '(The conversation begins with the assistant.)' }], results: [] })
    }
    const contents = this.#turns
      .map(({ role, parts, results }) => ({ role, parts: [...results, ...parts] }))
      .filter(({ parts }) => parts.length > 0)
    return {
      contents: contents.length > 0 ? contents : [{ role: 'user', parts: [{ text: '' }] }],
      ...(systemInstruction && { systemInstruction }),
    }
  }

  /** Which result answers which call: the same id, the first one that is not answered yet, in the latest turn that has it. */
  #pair(): void {
    let calls: ToolCallPart[] = []
    for (const { parts } of this.#context.call.messages)
      for (const part of parts) {
        if (part.type === 'tool-call') calls.push(part)
        else if (part.type === 'tool-result') {
          const call =
            calls.find(({ id }) => id !== '' && id === part.id) ??
            (part.id === '' ? calls.find(({ name }) => name === part.name) : undefined)
          if (!call) continue
          this.#results.set(call, part)
          calls = calls.filter((other) => other !== call)
        }
      }
  }

  #systemParts(message: Message): JsonObject[] {
    const { notes, call } = this.#context
    notes.extrasOf(message, call, 'gemini')
    if (message.name !== undefined) notes.dropped(at(message.path, 'name'), 'not supported by the target')
    return message.parts.flatMap((part) => {
      if (part.type === 'text') return contentParts(part, this.#context)
      notes.dropped(part.path, 'only text in instructions')
      return []
    })
  }

  #message(message: Message): void {
    if (message.role === 'system') {
      for (const { text, ...rest } of this.#systemParts(message))
        this.#reminders.push({ text: `<system-reminder>\n${text}\n</system-reminder>`, ...rest })
      return
    }
    const { notes, call } = this.#context
    notes.extrasOf(message, call, 'gemini')
    if (message.name !== undefined) notes.dropped(at(message.path, 'name'), 'not supported by the target')
    if (message.role === 'user') this.#user(message)
    else this.#assistant(message)
  }

  #user(message: Message): void {
    for (const part of message.parts) {
      if (part.type === 'tool-result') {
        if (!this.#placed.has(part)) this.#closeCalls(true)
        const turn = this.#placed.get(part)
        // One without a call can only be told in words.
        if (!turn) this.#orphan(part)
        else if (turn !== this.#turns.at(-1)) this.#context.notes.dropped(part.path, 'moved to the turn after its call')
      } else if (part.type === 'tool-call') this.#context.notes.dropped(part.path, 'a call in a user turn')
      else {
        const parts = contentParts(part, this.#context)
        if (parts.length > 0) this.#turn('user').parts.push(...parts)
      }
    }
  }

  #assistant(message: Message): void {
    for (const part of message.parts) {
      if (part.type === 'tool-result') {
        this.#context.notes.dropped(part.path, 'a result in an assistant turn')
        continue
      }
      const parts = part.type === 'tool-call' ? [this.#callPart(part)] : contentParts(part, this.#context)
      if (parts.length === 0) continue
      const turn = this.#turn('model')
      if (part.type === 'tool-call') this.#calls.push(part)
      turn.parts.push(...parts)
    }
  }

  #callPart(part: ToolCallPart): JsonObject {
    const { target, names } = this.#context
    const encoded = callPartOf(part, part.id, names.sent(part.name, part.namespace), this.#context)
    // Of calls made together only the first is signed.
    const first = this.#calls.length === 0 || this.#turns.at(-1)?.role !== 'model'
    if (encoded['thoughtSignature'] !== undefined || !first || target.capabilities.needsThoughtSignature !== true) return encoded
    return { ...encoded, thoughtSignature: UNSIGNED }
  }

  /** The turn of this side that is being written. Changing sides closes the calls before. */
  #turn(role: 'user' | 'model'): Turn {
    const last = this.#turns.at(-1)
    if (role === 'model' && this.#reminders.length > 0 && last) this.#turn('user')
    if (role === 'user' && last?.role !== 'user') this.#closeCalls(true)
    const open = this.#turns.at(-1)
    let turn = open
    if (open?.role !== role) {
      if (role === 'model' && open?.role === 'user') this.#calls = []
      turn = { role, parts: [], results: [] }
      this.#turns.push(turn)
    }
    if (role === 'user' && turn) turn.parts.push(...this.#reminders.splice(0))
    return turn as Turn
  }

  /** The user turn that answers the calls of the turn before, all of them, in their order. */
  #closeCalls(more: boolean): void {
    const calls = this.#calls
    this.#calls = []
    if (calls.length === 0) return
    const { notes, names } = this.#context
    const answered = calls.map((call) => ({ call, result: this.#results.get(call) }))
    if (!more && answered.every(({ result }) => !result)) return
    const turn: Turn = { role: 'user', parts: [], results: [] }
    this.#turns.push(turn)
    for (const { call, result } of answered) {
      const name = names.sent(call.name, call.namespace)
      if (!result) {
        notes.dropped(at(call.path, 'result'), 'this tool call has no result: an empty one was put in')
        turn.results.push({ functionResponse: { ...(call.id && { id: call.id }), name, response: { error: 'There is no result.' } } })
        continue
      }
      this.#placed.set(result, turn)
      const { response, after } = resultParts(result, call.id, name, this.#context)
      turn.results.push(response)
      turn.parts.push(...after)
    }
  }

  #orphan(part: ToolResultPart): void {
    const { notes } = this.#context
    notes.dropped(part.path, 'a tool result without its call, as text')
    extrasOf(part, this.#context)
    signatureMember(part, this.#context)
    const words = part.json ? JSON.stringify(part.json) : ''
    const parts = part.content.flatMap((inner) =>
      inner.type === 'tool-call' || inner.type === 'tool-result' ? [] : contentParts(inner, this.#context),
    )
    this.#turn('user').parts.push(...(words ? [{ text: words }] : []), ...parts)
  }
}
