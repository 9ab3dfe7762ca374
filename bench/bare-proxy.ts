// The yardstick: the least that a proxy in front of a model provider can do on Node and still read what passes. It parses the
// request and the plain answer, replaces the credential, and pipes streams. No routing, no checks, no accounting.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

const [origin = '', port = '0'] = process.argv.slice(2)
const pool = new Pool(origin, { connections: 256, pipelining: 1 })

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  const body = JSON.stringify({ error: { message: String(error) } })
  response.writeHead(502, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}

function forward(path: string, body: Buffer, response: ServerResponse): void {
  const asked = JSON.parse(body.toString()) as { stream?: boolean }
  const streamed = asked.stream === true
  const parts: Buffer[] = []
  let type = ''
  let status = 0
  pool.dispatch(
    { method: 'POST', path, body, headers: { 'content-type': 'application/json', authorization: 'Bearer upstream-key' } },
    {
      onRequestStart(controller) {
        response.once('close', () => {
          if (!response.writableFinished) controller.abort(new Error('the client is gone'))
        })
      },
      onResponseStart(_controller, statusCode, headers) {
        status = statusCode
        type = String(headers['content-type'])
        if (streamed) response.writeHead(status, { 'content-type': type })
      },
      onResponseData(controller, chunk) {
        if (!streamed) parts.push(chunk)
        else if (!response.write(chunk)) {
          controller.pause()
          response.once('drain', () => controller.resume())
        }
      },
      onResponseEnd() {
        if (streamed) return void response.end()
        const answer = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
        JSON.parse(answer.toString())
        response.writeHead(status, { 'content-type': type, 'content-length': answer.length }).end(answer)
      },
      onResponseError: (_controller, error) => fail(response, error),
    },
  )
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (chunk: Buffer) => parts.push(chunk))
  request.on('end', () => {
    try {
      forward(request.url ?? '/', parts.length === 1 ? parts[0]! : Buffer.concat(parts), response)
    } catch (error) {
      fail(response, error)
    }
  })
})
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))
