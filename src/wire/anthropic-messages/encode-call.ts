/** A call as a Messages body, under the API's rules and what the model takes. */
import type { ChatCall, Part, SettingName } from '../../core/call.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { type Notes, settingsOf } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { refuseStored, untranslatable } from '../stored.ts'
import type { EncodedCall } from '../wire.ts'
import { WIRE } from './decode-content.ts'
import { encodeFormat } from './encode-format.ts'
import { type Block, blocksOf, cacheControl, type Mark, type Writing } from './encode-parts.ts'
import { encodeThinking, type Thinking } from './encode-thinking.ts'
import { encodeChoice, encodeTools, namesOf } from './encode-tools.ts'
import { conversationOf, type Turn } from './turns.ts'

/** The version whose bodies these are. The newer one only takes things away. */
export const API_VERSION = '2023-06-01'
const MAX_MARKS = 4
/** `max_tokens` must be said; what is said when nobody knows the model. */
const DEFAULT_MAX_TOKENS = 32_000

export function encodeCall(call: ChatCall, target: Target, notes: Notes): EncodedCall {
  refuseStored(call, WIRE)
  const { capabilities } = target
  const own = call.wire === WIRE
  const settings = settingsOf(call, notes)
  const names = namesOf(call)
  const marks: Mark[] = []
  const encoded = encodeTools(call, target, names, notes, marks)
  // Unknown: the client's own system turns are believed, those of another dialect are folded, which any model takes.
  const midSystem = capabilities.midSystem ?? own
  const { system, turns, ids } = conversationOf(call, midSystem, notes)
  const writing: Writing = { call, own, notes, names, ids, resultMedia: capabilities.toolResultMedia !== false, marks }
  for (const message of call.messages) messageLeftovers(message, call, notes)

  const systemBlocks = blocksOf(system, 'system', writing)
  const messages = messagesOf(turns, writing)
  const format = encodeFormat(call, target, encoded.tools, names, notes)
  const limit = limitOf(settings.take('maxTokens'), settings.pathOf('maxTokens'), target, notes)
  let thinking = encodeThinking(call, target, limit, notes)
  if (thinking.budget !== undefined && (format.tool || loopWithoutThinking(messages))) {
    notes.dropped(
      call.reasoning?.path ?? 'thinking',
      format.tool ? 'no thinking with a forced tool' : 'no thinking: the turn of its tool calls has none',
    )
    thinking = { thinking: { type: 'disabled' } }
  }
  const { maxTokens, thinking: sized } = withRoom(thinking, limit, settings.pathOf('maxTokens'), call, target, notes)
  const forced = capabilities.forcedToolChoice !== false && (own ? true : sized.budget === undefined)
  const { choice, only } = encodeChoice(call, encoded.tools, forced, names, notes)
  const tools: Block[] = [
    ...encoded.tools.filter((tool) => only === undefined || tool['name'] === only),
    ...(format.tool ? [format.tool] : []),
  ]

  if (format.instruction) systemBlocks.push({ type: 'text', text: format.instruction })
  if (messages.length === 0) saveSystemOnly(systemBlocks, messages, call, notes)
  finishMessages(messages, call, target, sized, notes)

  const older = own && call.format?.path === 'output_format'
  const outputConfig = { ...(sized.effort && { effort: sized.effort }), ...(format.native && !older && { format: format.native }) }
  const toolChoice = withParallel(
    format.choice ?? choice,
    settings.take('parallelTools'),
    settings.pathOf('parallelTools'),
    tools,
    call,
    notes,
  )
  const body: Record<string, Json | undefined> = {
    model: target.model,
    max_tokens: maxTokens,
    ...(systemBlocks.length > 0 && { system: own && isListed(system) ? systemBlocks : plainText(systemBlocks) }),
    messages,
    ...(tools.length > 0 && { tools }),
    ...(encoded.servers.length > 0 && { mcp_servers: encoded.servers }),
    ...(toolChoice && { tool_choice: toolChoice }),
    ...(sized.thinking && { thinking: sized.thinking }),
    ...(Object.keys(outputConfig).length > 0 && { output_config: outputConfig }),
    ...(older && format.native && { output_format: format.native }),
    ...sampling(settings, call, target, sized, notes),
    ...others(settings, own, notes),
    ...(call.stream && { stream: true }),
  }
  if (call.cache) {
    body['cache_control'] = cacheControl(call.cache)
    marks.push({ block: body, path: call.cache.path })
  }
  fewMarks(marks, notes)
  settings.rest()
  return {
    body: withExtras(body, notes.extrasOf(call, call, WIRE)),
    restore:
      format.tool || names.changed
        ? { ...(names.changed && { tools: names.received }), ...(format.tool && { formatTool: String(format.tool['name']) }) }
        : undefined,
    headers: { 'anthropic-version': API_VERSION, ...(encoded.betas.length > 0 && { 'anthropic-beta': encoded.betas.join(',') }) },
  }
}

type Taker = ReturnType<typeof settingsOf>

function messageLeftovers(message: ChatCall['messages'][number], call: ChatCall, notes: Notes): void {
  if (message.name) notes.dropped(`${message.path}.name`, 'not supported by the target')
  if (call.wire !== WIRE) notes.extrasOf(message, call, WIRE)
}

// ---- messages ----------------------------------------------------------------------------------------------------

interface Message {
  [member: string]: Json | undefined
  role: string
  content: Json
}

function messagesOf(turns: readonly Turn[], writing: Writing): Message[] {
  const drafts: { role: Turn['role']; blocks: Block[]; message: Turn['message'] }[] = []
  for (const { role, parts, message } of turns) {
    const blocks = blocksOf(parts, role, writing)
    const last = drafts.at(-1)
    if (blocks.length === 0 && !(message && role === 'assistant')) continue
    // A turn of which nothing was left may have stood between two of one side.
    if (!message && last?.role === role) last.blocks.push(...blocks)
    else drafts.push({ role, blocks, message })
  }
  return drafts.map(({ role, blocks, message }) => ({
    ...message?.extras,
    role,
    content: message && isListed(message.parts) ? blocks : plainText(blocks),
  }))
}

/** The client wrote a list, even if of one text. */
const isListed = (parts: readonly Part[]): boolean => parts[0]?.path.endsWith(']') ?? false

/** One text and nothing else is written as a text. */
function plainText(blocks: readonly Block[]): Json {
  const [only] = blocks
  return blocks.length === 1 && only && only['type'] === 'text' && Object.keys(only).length === 2 ? (only['text'] ?? '') : blocks
}

const blocksIn = (content: Json): readonly Json[] => (Array.isArray(content) ? content : [])

/** The model thinks by a budget, but the calls whose results it is given were made without thinking. */
function loopWithoutThinking(messages: readonly Message[]): boolean {
  const before = messages.at(-2)
  if (before?.role !== 'assistant') return false
  const blocks = blocksIn(before.content)
  const [first] = blocks
  return (
    blocks.some((block) => isObject(block) && block['type'] === 'tool_use') && !(isObject(first) && /thinking$/.test(String(first['type'])))
  )
}

/** Nothing but instructions: they are what the model is asked. */
function saveSystemOnly(system: Block[], messages: Message[], call: ChatCall, notes: Notes): void {
  const path = call.messages[0]?.path ?? ''
  if (system.length === 0) throw untranslatable('The conversation holds nothing that this provider could be asked.', path)
  notes.dropped(path, 'as a text of the user')
  messages.push({ role: 'user', content: plainText(system.splice(0)) })
}

function finishMessages(messages: Message[], call: ChatCall, { capabilities }: Target, { budget }: Thinking, notes: Notes): void {
  const own = call.wire === WIRE
  if (!own && messages[0]?.role === 'assistant') {
    notes.dropped(call.messages[0]?.path ?? '', 'an opening turn of the user was added')
    messages.unshift({ role: 'user', content: '(The conversation begins with your message.)' })
  }
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return
  const tail = blocksIn(last.content).at(-1)
  if (typeof last.content === 'string') last.content = last.content.trimEnd()
  else if (isObject(tail) && tail['type'] === 'text')
    last.content = [...blocksIn(last.content).slice(0, -1), { ...tail, text: String(tail['text']).trimEnd() }]
  const calls = isObject(tail) && tail['type'] === 'tool_use'
  if (calls || (capabilities.prefill !== false && (own || budget === undefined))) return
  notes.dropped(call.messages.at(-1)?.path ?? '', 'the model cannot continue a turn: it is asked to')
  messages.push({ role: 'user', content: 'Continue your last message exactly where it ends.' })
}

/** The API takes four marks; the last ones cover the most. */
function fewMarks(marks: readonly Mark[], notes: Notes): void {
  for (const { block, path } of marks.slice(0, Math.max(0, marks.length - MAX_MARKS))) {
    delete block['cache_control']
    notes.dropped(path, `at most ${MAX_MARKS} cache marks`)
  }
}

// ---- limits and single values --------------------------------------------------------------------------------------

function limitOf(asked: number | undefined, path: string, { capabilities: { maxOutput } }: Target, notes: Notes): number | undefined {
  if (asked === undefined || maxOutput === undefined || asked <= maxOutput) return asked
  notes.dropped(path, `clamped to ${maxOutput}`)
  return maxOutput
}

/** `max_tokens` has to exceed the thinking budget. */
function withRoom(
  thinking: Thinking,
  limit: number | undefined,
  path: string,
  call: ChatCall,
  { capabilities: { maxOutput } }: Target,
  notes: Notes,
) {
  const { budget } = thinking
  const plain = limit ?? maxOutput ?? DEFAULT_MAX_TOKENS
  // The client's own headers may allow a budget beyond the limit (interleaved thinking).
  if (budget === undefined || budget < plain || (call.wire === WIRE && thinking.exact)) return { maxTokens: plain, thinking }
  const raised = plain + budget
  if (maxOutput === undefined || raised <= maxOutput) {
    if (limit !== undefined) notes.dropped(path, `raised to ${raised}, above the thinking budget`)
    return { maxTokens: raised, thinking }
  }
  const smaller = Math.max(1024, maxOutput - plain)
  if (limit !== undefined) notes.dropped(path, `raised to ${maxOutput}, above the thinking budget`)
  if (thinking.exact) notes.dropped(call.reasoning?.path ?? 'thinking', `thinking budget ${budget} as ${smaller}`)
  return { maxTokens: maxOutput, thinking: { ...thinking, budget: smaller, thinking: { ...thinking.thinking, budget_tokens: smaller } } }
}

function sampling(settings: Taker, call: ChatCall, { capabilities }: Target, { thinking }: Thinking, notes: Notes): JsonObject {
  const own = call.wire === WIRE
  const thinks = thinking !== undefined && thinking['type'] !== 'disabled'
  const kept = (name: SettingName, allowed: boolean, reason: string): boolean => {
    if (capabilities.sampling !== false && !capabilities.refuses?.includes(name) && allowed) return true
    notes.dropped(settings.pathOf(name), capabilities.sampling === false ? 'not supported by the target' : reason)
    return false
  }
  const result: Record<string, number> = {}
  const temperature = settings.take('temperature')
  const topP = settings.take('topP')
  const topK = settings.take('topK')
  if (temperature !== undefined && kept('temperature', !thinks || temperature === 1 || own, 'not while the model thinks')) {
    result['temperature'] = own ? temperature : Math.min(1, Math.max(0, temperature))
    if (result['temperature'] !== temperature) notes.dropped(settings.pathOf('temperature'), `clamped to ${result['temperature']}`)
  }
  if (topP !== undefined && kept('topP', own || !thinks || topP >= 0.95, 'not while the model thinks')) {
    // Newer models refuse both together.
    if (!own && result['temperature'] !== undefined) notes.dropped(settings.pathOf('topP'), 'not together with temperature')
    else result['top_p'] = topP
  }
  if (topK !== undefined && kept('topK', own || !thinks, 'not while the model thinks')) result['top_k'] = topK
  return result
}

const TIERS: Readonly<Record<string, string>> = {
  auto: 'auto',
  standard_only: 'standard_only',
  default: 'standard_only',
  standard: 'standard_only',
  priority: 'auto',
}

function others(settings: Taker, own: boolean, notes: Notes): JsonObject {
  const result: Record<string, Json> = {}
  const stop = settings.take('stop')
  if (stop && stop.length > 0) {
    const visible = stop.filter((one) => own || one.trim() !== '')
    if (visible.length < stop.length) notes.dropped(settings.pathOf('stop'), 'a stop sequence needs visible characters')
    if (visible.length > 0) result['stop_sequences'] = visible
  }
  const user = settings.take('user')
  if (user && (own || user.length <= 256)) result['metadata'] = { user_id: user }
  else if (user) notes.dropped(settings.pathOf('user'), 'longer than 256 characters')
  const tier = settings.take('serviceTier')
  if (tier !== undefined) {
    const known = own ? tier : TIERS[tier]
    if (known) result['service_tier'] = known
    else notes.dropped(settings.pathOf('serviceTier'), 'not offered by the target')
  }
  const modalities = settings.take('modalities')
  if (modalities?.some((one) => one !== 'text')) notes.dropped(settings.pathOf('modalities'), 'not supported by the target')
  return result
}

function withParallel(
  choice: JsonObject | undefined,
  parallel: boolean | undefined,
  path: string,
  tools: readonly Block[],
  call: ChatCall,
  notes: Notes,
) {
  if (parallel === undefined || (parallel && call.wire !== WIRE) || tools.length === 0) return choice
  if (choice?.['type'] === 'none') {
    notes.dropped(path, 'no tool may be called')
    return choice
  }
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: !parallel }
}

/** What this wire's own client said and nobody read; members of members are put together. */
function withExtras(body: Record<string, Json | undefined>, extras: JsonObject | undefined): JsonObject {
  for (const [name, value] of Object.entries(extras ?? {})) {
    const before = body[name]
    body[name] = isObject(before) && isObject(value) ? { ...before, ...value } : value
  }
  return body
}
