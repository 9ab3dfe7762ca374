/** A generateContent request as a call. */
import type { ChatCall, Message, Part, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import type { DecodeContext } from '../wire.ts'
import { type Decoded, generationConfigOf } from './decode-config.ts'
import { isPart, partsOf } from './decode-part.ts'
import { withWholeThoughts } from './decode-thoughts.ts'
import { toolConfigOf, toolsOf } from './decode-tools.ts'
import { Fields, fieldsOf, type Member, membersOf } from './fields.ts'

/** Ids that this decoder gives to calls without one; they never go back to Google. */
export const MADE_ID = 'gemini_call_'

export function decodeCall(body: JsonObject, context: DecodeContext): ChatCall {
  const whole = new Fields(body, '')
  // A count request may hold the whole request one level down.
  const fields = whole.has('contents') ? whole : (whole.object('generateContentRequest') ?? whole)
  const named = fields.take('model')?.value
  const decoded: Decoded = { settings: {}, paths: {}, rest: [] }
  const system = fields.take('systemInstruction')
  const contents = fields.take('contents')
  if (!contents) throw invalid('contents is missing.', at(fields.path, 'contents'))
  const messages = withCalls(withWholeThoughts([...(system ? systemOf(system) : []), ...contentsOf(contents)]))
  const tools = toolsOf(fields.list('tools') ?? [])
  const toolConfig = fields.object('toolConfig')
  const { choice, rest = [] } = toolConfig ? toolConfigOf(toolConfig) : {}
  const generation = fields.object('generationConfig')
  if (generation) generationConfigOf(generation, decoded)
  topLevelSettings(fields, decoded)
  const { settings, paths, format, reasoning } = decoded
  return {
    op: 'chat',
    wire: 'gemini',
    path: '',
    model: context.model ?? (isString(named) ? named : ''),
    stream: context.stream ?? false,
    messages,
    tools,
    ...(choice && { toolChoice: choice }),
    ...(format && { format }),
    ...(reasoning && { reasoning }),
    settings,
    paths,
    ...fields.extras([...rest, ...decoded.rest]),
  }
}

function topLevelSettings(fields: Fields, { settings, paths }: Decoded): void {
  const tier = fields.take('serviceTier')
  if (tier) {
    if (!isString(tier.value)) throw invalid('serviceTier must be a string.', tier.path)
    settings.serviceTier = tier.value.toLowerCase().replace(/^service_tier_/, '')
    paths.serviceTier = tier.path
  }
  const labels = fields.take('labels')
  if (labels) {
    if (!isObject(labels.value)) throw invalid('labels must be an object.', labels.path)
    settings.metadata = labels.value
    paths.metadata = labels.path
  }
  const store = fields.boolean('store')
  if (store) {
    settings.store = store.value
    paths.store = store.path
  }
}

/** Its role, where a client writes one, means nothing. */
function systemOf(member: Member): Message[] {
  if (isString(member.value))
    return [{ role: 'system', path: member.path, parts: [{ type: 'text', path: member.path, text: member.value }] }]
  const fields = fieldsOf(member)
  const role = fields.take('role')?.value
  const parts = isPart(fields) && !fields.has('parts') ? partsOf(member) : (fields.list('parts') ?? []).flatMap(partsOf)
  return [{ role: 'system', path: member.path, parts, ...(role && { own: { role } }), ...(isPart(fields) ? {} : fields.extras()) }]
}

function contentsOf(contents: Member): Message[] {
  if (isString(contents.value)) return [userText(contents.value, contents.path)]
  const members = membersOf(contents)
  if (members.length === 0) throw invalid('contents must not be empty.', contents.path)
  return members.flatMap(contentOf)
}

const userText = (text: string, path: string): Message => ({ role: 'user', path, parts: [{ type: 'text', path, text }] })

const ROLES: ReadonlyMap<Json | undefined, 'user' | 'assistant'> = new Map([
  [undefined, 'user'],
  ['', 'user'],
  ['user', 'user'],
  ['function', 'user'],
  ['tool', 'user'],
  ['model', 'assistant'],
])

function contentOf(member: Member): Message[] {
  if (isString(member.value)) return [userText(member.value, member.path)]
  const fields = fieldsOf(member)
  const { path } = fields
  // A part where a turn should be.
  if (!fields.has('parts') && isPart(fields)) return [{ role: 'user', path, parts: partsOf(member) }]
  const named = fields.take('role')
  const role = ROLES.get(named?.value)
  if (!role) throw invalid('role must be user or model.', named?.path ?? path)
  const parts = (fields.list('parts') ?? []).flatMap(partsOf)
  const [first, ...others] = bySide(parts, role)
  return [
    { role: first?.role ?? role, path, parts: first?.parts ?? [], ...fields.extras() },
    ...others.map((group) => ({ role: group.role, path, parts: group.parts })),
  ]
}

/** Calls are the model's and results are the user's, in whose turn they may stand. */
function bySide(parts: readonly Part[], role: 'user' | 'assistant'): { role: 'user' | 'assistant'; parts: Part[] }[] {
  const groups: { role: 'user' | 'assistant'; parts: Part[] }[] = []
  for (const part of parts) {
    const side = part.type === 'tool-call' ? 'assistant' : part.type === 'tool-result' ? 'user' : role
    const last = groups.at(-1)
    if (last?.role === side) last.parts.push(part)
    else groups.push({ role: side, parts: [part] })
  }
  return groups
}

/**
 * Gives an id to calls that have none, and to each result the id of the call it answers: by id where there is one, else by
 * name and order among the calls of the latest turn that had any.
 */
function withCalls(messages: readonly Message[]): Message[] {
  let open: ToolCallPart[] = []
  let made = 0
  let before: Message | undefined
  return messages.map((message) => {
    if (message.role === 'assistant' && before?.role !== 'assistant' && message.parts.some((part) => part.type === 'tool-call')) open = []
    before = message
    const parts = message.parts.map((part): Part => {
      if (part.type === 'tool-call') {
        const call = part.id === '' ? { ...part, id: `${MADE_ID}${made++}` } : part
        open.push(call)
        return call
      }
      return part.type === 'tool-result' ? answered(part, open) : part
    })
    return { ...message, parts }
  })
}

function answered(result: ToolResultPart, open: ToolCallPart[]): ToolResultPart {
  const call =
    (result.id !== '' && open.find(({ id }) => id === result.id)) ||
    open.find(({ id, name }) => name === result.name && (result.id === '' || id.startsWith(MADE_ID))) ||
    (result.name === undefined && result.id === '' ? open[0] : undefined)
  if (!call) return result
  open.splice(open.indexOf(call), 1)
  return { ...result, id: call.id, name: result.name ?? call.name }
}
