// An application that calls a model: with its own `fetch`, or with `createGateway(config).fetch` in the same place. What the second costs
// more than the first is the price of the embedded gateway.

import type { EmbeddedMode } from './sections/plain.ts'
import { complaint } from './verify.ts'

interface Job {
  readonly mode: EmbeddedMode
  readonly config: unknown
  readonly url: string
  readonly body: string
  readonly connections: number
}

const { mode, config, url, body, connections } = JSON.parse(process.argv[2] ?? '{}') as Job

async function senderOf(): Promise<(request: Request) => Promise<Response>> {
  if (mode === 'fetch') return (request) => fetch(request)
  const { createGateway } = await import('../src/index.ts')
  const gateway = createGateway(config as Parameters<typeof createGateway>[0])
  return (request) => gateway.fetch(request)
}

const send = await senderOf()

async function call(): Promise<void> {
  const request = new Request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer application-key' },
    body,
  })
  const response = await send(request)
  const wrong = complaint(response.status, Buffer.from(await response.arrayBuffer()), 'openai-chat', {
    stream: false,
    events: 0,
    bytes: true,
  })
  if (wrong !== undefined) throw new Error(wrong)
}

process.on('message', async (message: unknown) => {
  const { id, calls } = message as { id?: number; calls?: number }
  if (id === undefined || calls === undefined) return
  let left = calls
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: connections }, worker))
  process.send?.({ id, result: calls })
})
process.channel?.ref()
process.send?.({ hello: true })
