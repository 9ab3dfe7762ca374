/** A caller that stops reading for good, on a connection that others share. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { plainBody } from '../../../test/bad-input/fixtures.ts'
import { rig } from '../../../test/bad-input/rig.ts'
import { selfSigned } from '../../../test/self-signed.ts'
import { createSimulator, simulatorTransport } from '../../testing/index.ts'
import { createHttpServer } from '../http-server.ts'
import { readMaterial } from './material.ts'
import { secureListener } from './secure-listener.ts'

test('a stream that nobody reads is given up after half a minute: the provider is told, the connection stays', async () => {
  const pair = selfSigned()
  const config = { cert: 'env:CERT', key: 'env:KEY', clients: 'none', minVersion: '1.2', http2: true } as const
  const material = readMaterial(config, { env: { CERT: pair.cert, KEY: pair.key } })
  const simulator = createSimulator()
  const under = rig({ transport: simulatorTransport(simulator) })
  const server = createHttpServer({
    line: () => under.line,
    maxBody: () => 1_000_000,
    ready: () => true,
    secure: secureListener({ config, material }),
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const session = connect(`https://localhost:${(server.server.address() as AddressInfo).port}`, { ca: pair.cert })
  await once(session, 'connect')
  session.setLocalWindowSize(8 << 20)
  const post = (prompt: string) => {
    const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' }, { endStream: false })
    stream.end(JSON.stringify({ ...plainBody('openai-chat', 'openai-chat/echo', prompt), stream: true }))
    return stream
  }
  const stalled = post('simulate: {"words": 100000, "eventMs": 1, "firstMs": 1}')
  stalled.on('error', () => {})
  await once(stalled, 'response')
  stalled.pause()
  const began = Date.now()
  while (simulator.calls.at(-1)?.ended === undefined && Date.now() - began < 50_000)
    await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(simulator.calls.at(-1)?.ended, 'aborted')
  assert.ok(Date.now() - began > 25_000)
  stalled.destroy()
  const other = post('Hi')
  let text = ''
  other.setEncoding('utf8')
  other.on('data', (chunk: string) => {
    text += chunk
  })
  await once(other, 'end')
  assert.match(text, /\[DONE\]/)
  session.destroy()
  await server.close()
})
