/** The wires that ship. */
import type { WireId } from '../core/call.ts'
import { anthropicMessages } from './anthropic-messages/wire.ts'
import { gemini } from './gemini/wire.ts'
import { openaiChat } from './openai-chat/wire.ts'
import { openaiResponses } from './openai-responses/wire.ts'
import type { Wire } from './wire.ts'

export const wires: ReadonlyMap<WireId, Wire> = new Map(
  [openaiChat, openaiResponses, anthropicMessages, gemini].map((wire) => [wire.id, wire]),
)
