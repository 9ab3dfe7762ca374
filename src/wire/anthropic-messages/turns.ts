/**
 * The conversation in the shape the API insists on: each tool call answered in the one user turn after it, results
 * first, and the turns of one side together. Decides where parts go; writes nothing yet.
 */
import type { ChatCall, Message, Part, TextPart, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { digestWord } from '../../core/id.ts'
import type { Notes } from '../../core/notes.ts'
import { WIRE } from './decode-content.ts'

export interface Turn {
  readonly role: Message['role']
  readonly parts: Part[]
  /** The client's message, when the turn is exactly one. */
  readonly message?: Message
}

export interface Conversation {
  readonly system: readonly Part[]
  readonly turns: readonly Turn[]
  /** The id under which each call and each result goes out. */
  readonly ids: ReadonlyMap<Part, string>
}

interface Call {
  readonly part: ToolCallPart
  readonly turn: number
  readonly sentId: string
  result?: ToolResultPart
}

/** `midSystem`: system turns may stand in mid-conversation. */
export function conversationOf(call: ChatCall, midSystem: boolean, notes: Notes): Conversation {
  const own = call.wire === WIRE
  const system: Part[] = []
  const turns: Turn[] = []
  const fold = !midSystem && call.messages.some(({ role, path }) => role === 'system' && path !== 'system')
  const asWritten = own && !fold
  for (const message of call.messages) {
    if (message.role === 'system' && (message.path === 'system' || (!asWritten && turns.length === 0))) system.push(...message.parts)
    else if (asWritten) turns.push({ role: message.role, parts: [...message.parts], message })
    else if (message.role === 'system' && !midSystem) {
      notes.dropped(message.path, 'as a text of the user')
      add(turns, 'user', message.parts.map(asReminder))
    } else add(turns, message.role, message.parts)
  }
  if (asWritten) return { system, turns, ids: idsAsWritten(turns) }
  const calls = callsOf(turns)
  const orphans = pair(turns, calls)
  return { system, turns: arranged(turns, calls, orphans, notes), ids: idsOf(calls) }
}

function add(turns: Turn[], role: Message['role'], parts: readonly Part[]): void {
  const last = turns.at(-1)
  if (last?.role === role) last.parts.push(...parts)
  else turns.push({ role, parts: [...parts] })
}

const asReminder = (part: Part): Part =>
  part.type === 'text' && part.text.trim() !== '' ? { ...part, text: `<system-reminder>\n${part.text}\n</system-reminder>` } : part

// ---- ids -------------------------------------------------------------------------------------------------------

/** The same id each time for the same place in a conversation, so that cached prompts stay the same. */
function idMaker(): (id: string) => string {
  const taken = new Set<string>()
  return (id) => {
    const legal = id === '' ? `toolu_${taken.size + 1}` : /^[a-zA-Z0-9_-]+$/.test(id) ? id : `toolu_${digestWord(id, 16)}`
    let unique = legal
    for (let count = 2; taken.has(unique); count++) unique = `${legal}_${count}`
    taken.add(unique)
    return unique
  }
}

function callsOf(turns: readonly Turn[]): Call[] {
  const next = idMaker()
  return turns.flatMap(({ role, parts }, turn) =>
    role !== 'assistant' ? [] : parts.flatMap((part): Call[] => (part.type === 'tool-call' ? [{ part, turn, sentId: next(part.id) }] : [])),
  )
}

const idsOf = (calls: readonly Call[]): ReadonlyMap<Part, string> =>
  new Map(
    calls.flatMap(({ part, result, sentId }): [Part, string][] => [
      [part, sentId],
      ...(result ? [[result, sentId] as [Part, string]] : []),
    ]),
  )

function idsAsWritten(turns: readonly Turn[]): ReadonlyMap<Part, string> {
  const parts = turns.flatMap((turn) => turn.parts)
  return new Map(
    parts.flatMap((part): [Part, string][] => (part.type === 'tool-call' || part.type === 'tool-result' ? [[part, part.id]] : [])),
  )
}

// ---- calls and results -------------------------------------------------------------------------------------------

/** Finds the call that each result answers. What answers none is returned. */
function pair(turns: readonly Turn[], calls: readonly Call[]): ReadonlySet<Part> {
  const orphans = new Set<Part>()
  turns.forEach(({ parts }, turn) => {
    for (const part of parts) {
      if (part.type !== 'tool-result') continue
      const open = calls.filter((call) => call.turn < turn && !call.result)
      const call =
        (part.id !== '' && byId(open, part.id)) ||
        (part.id === '' || open.some((one) => one.part.id === '') ? byName(open, part) : undefined)
      if (call) call.result = part
      else orphans.add(part)
    }
  })
  return orphans
}

/** Ids come again in later turns, and careless clients use one twice in a turn: the first open one of the latest turn. */
function byId(open: readonly Call[], id: string): Call | undefined {
  const same = open.filter(({ part }) => part.id === id)
  return same.find(({ turn }) => turn === same.at(-1)?.turn)
}

function byName(open: readonly Call[], result: ToolResultPart): Call | undefined {
  const recent = open.filter(({ turn }) => turn === open.at(-1)?.turn)
  return recent.find(({ part }) => part.name === result.name) ?? (result.name === undefined ? recent[0] : undefined)
}

function arranged(turns: readonly Turn[], calls: readonly Call[], orphans: ReadonlySet<Part>, notes: Notes): readonly Turn[] {
  const result: Turn[] = []
  const answers = (turn: number): readonly Part[] => calls.filter((call) => call.turn === turn).map((call) => answerOf(call, turns, notes))
  let due: readonly Part[] = []
  turns.forEach(({ role, parts }, index) => {
    const kept = parts.flatMap((part) => (part.type !== 'tool-result' ? [part] : orphans.has(part) ? asText(part, notes) : []))
    if (due.length > 0 && role !== 'user') result.push({ role: 'user', parts: [...due] })
    const parted = due.length > 0 && role === 'user' ? [...due, ...kept] : kept
    if (parted.length > 0) add(result, role, parted)
    // Calls at the very end wait for their answers.
    due = role === 'assistant' && index < turns.length - 1 ? answers(index) : []
  })
  return result
}

/** The result of a call; when the client gave none, a result that says so, since the API refuses calls without one. */
function answerOf(call: Call, turns: readonly Turn[], notes: Notes): Part {
  const { part, turn, result } = call
  if (result) {
    const place = turns.findIndex(({ parts }) => parts.includes(result))
    if (place > turn + 1 && turns.slice(turn + 1, place).some(({ role }) => role === 'assistant'))
      notes.dropped(result.path, 'moved to its call')
    return result
  }
  notes.dropped(part.path, 'without a result')
  call.result = {
    type: 'tool-result',
    id: part.id,
    content: [{ type: 'text', text: 'No result.', path: part.path }],
    isError: true,
    path: part.path,
  }
  return call.result
}

/** A result whose call is nowhere: its words stay, as words. */
function asText(part: ToolResultPart, notes: Notes): readonly Part[] {
  notes.dropped(part.path, 'a result without its call, as text')
  const json: readonly TextPart[] = part.json ? [{ type: 'text', text: JSON.stringify(part.json), path: part.path }] : []
  return [...part.content, ...json]
}
