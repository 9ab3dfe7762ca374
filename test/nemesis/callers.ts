/** Callers of the gateways: plain and streamed, some of whom hang up in the middle. */
import { Agent, request } from 'node:http'
import type { Chance } from '../random.ts'

export interface CallMade {
  readonly name: string
  /** Id of the key, as the admin API knows it. */
  readonly key: string
  readonly gateway: string
  /** Milliseconds since 1970. */
  readonly from: number
  to: number
  /** Undefined: no answer came. */
  status?: number
  /** The answer came whole. */
  whole: boolean
  aborted: boolean
}

export interface KeyInHand {
  readonly id: string
  readonly key: string
}

export class Callers {
  readonly made: CallMade[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  #count = 0

  /** Never rejects: what went wrong stands in the call. */
  call(url: string, gateway: string, { id, key }: KeyInHand, random: Chance): Promise<CallMade> {
    const name = `c${++this.#count}`
    const streamed = random.next() < 0.5
    const abortMs = random.next() < 0.15 ? 5 + random.below(120) : undefined
    const made: CallMade = { name, key: id, gateway, from: Date.now(), to: 0, whole: false, aborted: false }
    this.made.push(made)
    const body = JSON.stringify({
      model: 'work',
      stream: streamed,
      max_tokens: 8,
      messages: [{ role: 'user', content: `call ${name} please` }],
    })
    return new Promise((resolve) => {
      const sent = request(`${url}/v1/chat/completions`, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          authorization: `Bearer ${key}`,
          'x-signalbox-metadata': JSON.stringify({ tags: [name] }),
        },
      })
      const limit = setTimeout(() => sent.destroy(new Error('too long')), 15_000)
      const hangUp = abortMs === undefined ? undefined : setTimeout(abort, abortMs)
      function abort(): void {
        made.aborted = true
        sent.destroy()
      }
      const end = (): void => {
        clearTimeout(limit)
        clearTimeout(hangUp)
        made.to = Date.now()
        resolve(made)
      }
      sent.on('error', end)
      sent.on('close', end)
      sent.on('response', (response) => {
        made.status = response.statusCode ?? 0
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
        })
        response.on('error', () => {})
        response.on('end', () => {
          made.whole = streamed ? text.includes('[DONE]') : text.endsWith('}')
        })
      })
      sent.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
