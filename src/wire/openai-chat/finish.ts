/** Why an answer ended, in Chat's words and those of its relatives. */
import type { ChatCall } from '../../core/call.ts'
import type { Finish } from '../../core/event.ts'

const FINISHES: Readonly<Record<string, Finish>> = {
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  completed: 'stop',
  stop_sequence: 'stop-sequence',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  tool_calls: 'tool-calls',
  tool_call: 'tool-calls',
  function_call: 'tool-calls',
  tool_use: 'tool-calls',
  content_filter: 'filter',
  safety: 'filter',
  refusal: 'filter',
}

/** Words with which a host says that it failed, not that the model ended. */
const FAILURES = new Set(['error', 'insufficient_system_resource', 'server_error'])

export const isFailure = (raw: string): boolean => FAILURES.has(raw.toLowerCase())

/** `calls`: whether the answer holds tool calls. Hosts disagree on `stop` then; silence is taken as a natural end. */
export function finishOf(raw: string | undefined, { calls, stopSequence }: { calls: boolean; stopSequence: boolean }): Finish {
  const word = raw?.toLowerCase() ?? ''
  const finish = word === '' ? 'stop' : Object.hasOwn(FINISHES, word) ? (FINISHES[word] ?? 'other') : 'other'
  if (finish === 'stop' || finish === 'stop-sequence') return calls ? 'tool-calls' : stopSequence ? 'stop-sequence' : finish
  return finish === 'tool-calls' && !calls ? 'stop' : finish
}

/** What a Chat client is told. The dialect has no words for a pause or anything else. */
export function chatFinish(finish: Finish): 'stop' | 'length' | 'tool_calls' | 'content_filter' {
  switch (finish) {
    case 'length':
      return 'length'
    case 'tool-calls':
      return 'tool_calls'
    case 'filter':
      return 'content_filter'
    case 'stop':
    case 'stop-sequence':
    case 'pause':
    case 'other':
      return 'stop'
    default:
      return finish satisfies never
  }
}

/** A client that declared `functions`, the form before tools, is answered in their words. */
export const speaksOfFunctions = ({ tools }: ChatCall): boolean => tools.some(({ path }) => path.startsWith('functions['))
