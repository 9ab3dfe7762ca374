/** The provider behind the gateways: it never fails, and it knows which calls reached it. What it counted is the truth. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingProvider {
  readonly url: string
  /** How often a call came, by its name. */
  readonly received: ReadonlyMap<string, number>
  stop(): Promise<void>
}

const NAME = /call (c\d+)/
const USAGE = { prompt_tokens: 10, completion_tokens: 8, total_tokens: 18 }
const WORDS = ['one ', 'two ', 'three ', 'four ', 'five ', 'six ', 'seven ', 'eight']
const PACE_MS = 12
const PLAIN_MS = 25

export function startProvider(): Promise<CountingProvider> {
  const received = new Map<string, number>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      const name = NAME.exec(body)?.[1]
      if (name === undefined) return void response.writeHead(400).end()
      received.set(name, (received.get(name) ?? 0) + 1)
      if (body.includes('"stream":true')) stream(response, name)
      else setTimeout(() => plain(response, name), PLAIN_MS)
    })
  })
  server.keepAliveTimeout = 60_000
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      resolve({
        url: `http://127.0.0.1:${port}/v1`,
        received,
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}

function plain(response: ServerResponse, name: string): void {
  const message = { role: 'assistant', content: `${WORDS.join('')} for ${name}` }
  const body = {
    id: name,
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: USAGE,
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function stream(response: ServerResponse, name: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const write = (rest: object): void => {
    response.write(`data: ${JSON.stringify({ id: name, object: 'chat.completion.chunk', created: 1, model: 'm', ...rest })}\n\n`)
  }
  let at = 0
  const timer = setInterval(() => {
    const word = WORDS[at++]
    if (word !== undefined) return write({ choices: [{ index: 0, delta: { content: word }, finish_reason: null }] })
    clearInterval(timer)
    write({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    write({ choices: [], usage: USAGE })
    response.end('data: [DONE]\n\n')
  }, PACE_MS)
  response.once('close', () => clearInterval(timer))
}
