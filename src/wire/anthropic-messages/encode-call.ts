/** A call as a Messages body, under the API's rules and what the model takes. */
import type { ChatCall } from '../../core/call.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { type Notes, settingsOf } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { refuseStored } from '../stored.ts'
import type { EncodedCall } from '../wire.ts'
import { WIRE } from './decode-content.ts'
import { encodeFormat } from './encode-format.ts'
import { finishMessages, isListed, loopWithoutThinking, messagesOf, pastTools, plainText, saveSystemOnly } from './encode-messages.ts'
import { type Block, blocksOf, cacheControl, type Mark, type Writing } from './encode-parts.ts'
import { limitOf, others, sampling, withParallel, withRoom } from './encode-settings.ts'
import { encodeThinking } from './encode-thinking.ts'
import { encodeChoice, encodeTools, namesOf } from './encode-tools.ts'
import { conversationOf } from './turns.ts'

/** The version whose bodies these are. The newer one only takes things away. */
export const API_VERSION = '2023-06-01'
const MAX_MARKS = 4

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
    ...(own || encoded.tools.length > 0 ? [] : pastTools(messages)),
    ...encoded.tools.filter((tool) => only === undefined || tool['name'] === only),
    ...(format.tool ? [format.tool] : []),
  ]

  if (format.instruction) systemBlocks.push({ type: 'text', text: format.instruction })
  if (messages.length === 0) saveSystemOnly(systemBlocks, messages, call, notes)
  finishMessages(messages, call, target, sized, notes)

  const older = own && call.format?.path === 'output_format'
  const outputConfig = { ...(sized.effort && { effort: sized.effort }), ...(format.native && !older && { format: format.native }) }
  const toolChoice = withParallel(
    format.choice ?? (encoded.tools.length === 0 && tools.length > 0 ? { type: 'none' } : choice),
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

function messageLeftovers(message: ChatCall['messages'][number], call: ChatCall, notes: Notes): void {
  if (message.name) notes.dropped(`${message.path}.name`, 'not supported by the target')
  if (call.wire !== WIRE) notes.extrasOf(message, call, WIRE)
}

/** The API takes four marks; the last ones cover the most. */
function fewMarks(marks: readonly Mark[], notes: Notes): void {
  for (const { block, path } of marks.slice(0, Math.max(0, marks.length - MAX_MARKS))) {
    delete block['cache_control']
    notes.dropped(path, `at most ${MAX_MARKS} cache marks`)
  }
}

/** What this wire's own client said and nobody read; members of members are put together. */
function withExtras(body: JsonObject, extras: JsonObject | undefined): JsonObject {
  if (!extras) return body
  const entries = Object.entries(extras).map(([name, value]): [string, Json | undefined] => {
    const before = Object.hasOwn(body, name) ? body[name] : undefined
    return [name, isObject(before) && isObject(value) ? withExtras(before, value) : value]
  })
  return Object.fromEntries([...Object.entries(body), ...entries])
}
