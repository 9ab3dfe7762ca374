import { ANSWER, type BenchWire, plainAnswer, streamedText } from './payloads.ts'

export interface Expectation {
  readonly stream: boolean
  /** Text deltas of a stream. */
  readonly events: number
  /** The provider's own bytes (a plain answer, same wire), not only the same text. */
  readonly bytes: boolean
}

const PLAIN: Record<BenchWire, Buffer> = {
  'openai-chat': plainAnswer('openai-chat'),
  'anthropic-messages': plainAnswer('anthropic-messages'),
}

interface ChatBody {
  readonly choices?: readonly { readonly message?: { readonly content?: string }; readonly delta?: { readonly content?: string | null } }[]
}
interface MessagesBody {
  readonly content?: readonly { readonly text?: string }[]
}
interface MessagesEvent {
  readonly type?: string
  readonly delta?: { readonly text?: string }
}

function plainText(body: string, wire: BenchWire): string | undefined {
  if (wire === 'openai-chat') return (JSON.parse(body) as ChatBody).choices?.[0]?.message?.content
  return (JSON.parse(body) as MessagesBody).content?.map((part) => part.text ?? '').join('')
}

/** Text of a stream that ended as its dialect says; undefined without that end. */
function streamText(body: string, wire: BenchWire): string | undefined {
  let text = ''
  let ended = false
  for (const line of body.split('\n')) {
    if (!line.startsWith('data:')) continue
    const data = line.slice(5).trim()
    if (data === '[DONE]') {
      // Some gateways close a Messages stream with it too; it ends nothing there.
      if (wire === 'openai-chat') ended = true
      continue
    }
    if (wire === 'openai-chat') text += (JSON.parse(data) as ChatBody).choices?.[0]?.delta?.content ?? ''
    else {
      const event = JSON.parse(data) as MessagesEvent
      if (event.type === 'content_block_delta') text += event.delta?.text ?? ''
      if (event.type === 'message_stop') ended = true
    }
  }
  return ended ? text : undefined
}

const texts = new Map<number, string>()

function textOf(events: number): string {
  const known = texts.get(events)
  if (known !== undefined) return known
  const text = streamedText(events)
  texts.set(events, text)
  return text
}

/** What is wrong with an answer, or undefined. A fast wrong answer must not count as speed. */
export function complaint(status: number, body: Buffer, wire: BenchWire, expect: Expectation): string | undefined {
  if (status !== 200) return `status ${status}: ${body.toString('utf8', 0, 300)}`
  try {
    if (expect.stream) {
      const text = streamText(body.toString(), wire)
      if (text === undefined) return `the stream has no end: …${body.toString().slice(-300)}`
      if (text !== textOf(expect.events)) return `the stream's text is not the upstream's: ${text.slice(0, 200)} …`
      return undefined
    }
    if (expect.bytes) return body.equals(PLAIN[wire]) ? undefined : `not the upstream's bytes: ${body.toString('utf8', 0, 300)}`
    return plainText(body.toString(), wire) === ANSWER ? undefined : `not the upstream's text: ${body.toString('utf8', 0, 300)}`
  } catch (error) {
    return `unreadable answer: ${error instanceof Error ? error.message : String(error)}`
  }
}
