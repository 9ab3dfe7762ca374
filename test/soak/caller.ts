/** A caller of any dialect that knows which answer it must get, and sometimes hangs up. */
import { type Agent, request as httpRequest } from 'node:http'

export type Ending = 'ok' | 'aborted' | 'error' | 'wrong'

export interface SoakCall {
  readonly dialect: (typeof dialects)[number]
  readonly streamed: boolean
  /** The answer. */
  readonly text: string
  /** Goes into the prompt: what the simulator does. */
  readonly simulate: object
  /** Hang up after so many pieces of the answer. */
  readonly abortAfter: number | undefined
}

export const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const

export function makeCall(base: string, agent: Agent, call: SoakCall): Promise<{ readonly ending: Ending; readonly detail: string }> {
  const { path, body } = written(call)
  return new Promise((resolve) => {
    let received = ''
    let pieces = 0
    let aborted = false
    const done = (ending: Ending, detail = ''): void => resolve({ ending: aborted ? 'aborted' : ending, detail })
    const request = httpRequest(
      `${base}${path}`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => {
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          received += chunk
          if (call.abortAfter !== undefined && ++pieces > call.abortAfter) leave()
        })
        response.on('end', () => {
          if (response.statusCode !== 200) return done('error', `${response.statusCode} ${received.slice(0, 200)}`)
          done(...judged(call, received))
        })
        response.on('error', (error) => done('error', error.message))
      },
    )
    request.on('error', (error) => done('error', error.message))
    if (call.abortAfter === 0) setTimeout(leave, 5)
    request.end(body)

    function leave(): void {
      aborted = true
      request.destroy()
      done('aborted')
    }
  })
}

function written({ dialect, streamed, simulate }: SoakCall): { readonly path: string; readonly body: string } {
  const prompt = `Go on.\nsimulate: ${JSON.stringify(simulate)}`
  const model = 'soak'
  const stream = streamed
  const messages = [{ role: 'user', content: prompt }]
  switch (dialect) {
    case 'openai-chat':
      return { path: '/v1/chat/completions', body: JSON.stringify({ model, stream, messages }) }
    case 'openai-responses':
      return { path: '/v1/responses', body: JSON.stringify({ model, stream, input: prompt, store: false }) }
    case 'anthropic-messages':
      return { path: '/v1/messages', body: JSON.stringify({ model, stream, max_tokens: 4_000, messages }) }
    case 'gemini': {
      const verb = streamed ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return { path: `/v1beta/models/${model}:${verb}`, body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: prompt }] }] }) }
    }
  }
}

/** A whole answer ends as its dialect says and holds every word once. */
function judged({ dialect, streamed, text }: SoakCall, received: string): readonly [Ending, string] {
  if (!streamed) return received.includes(JSON.stringify(text)) ? ['ok', ''] : ['wrong', received.slice(0, 200)]
  const events = [...received.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => data)
  const failed = events.find((data) => /^\{"(?:error|type":"error")/.test(data))
  if (failed !== undefined) return ['error', failed.slice(0, 200)]
  if (!endings[dialect].test(received)) return ['wrong', `no end: …${received.slice(-200)}`]
  const said = events.map((data) => (data.startsWith('{') ? deltaOf(JSON.parse(data)) : '')).join('')
  return said === text ? ['ok', ''] : ['wrong', `${said.length} characters instead of ${text.length}`]
}

const endings = {
  'openai-chat': /data: \[DONE\]/,
  'openai-responses': /event: response\.completed/,
  'anthropic-messages': /event: message_stop/,
  gemini: /"finishReason": ?"STOP"/,
} as const

interface AnyEvent {
  readonly type?: string
  readonly delta?: string | { readonly text?: string }
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[]
  readonly candidates?: readonly { readonly content?: { readonly parts?: readonly { readonly text?: string }[] } }[]
}

function deltaOf({ type, delta, choices, candidates }: AnyEvent): string {
  if (type === 'response.output_text.delta') return typeof delta === 'string' ? delta : ''
  if (type === 'content_block_delta') return typeof delta === 'object' ? (delta.text ?? '') : ''
  if (candidates) return (candidates[0]?.content?.parts ?? []).map(({ text = '' }) => text).join('')
  return choices?.[0]?.delta?.content ?? ''
}
