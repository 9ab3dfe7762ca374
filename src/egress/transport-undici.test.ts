import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cancellation } from '../core/cancellation.ts'
import { undiciTransport } from './transport-undici.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** Answers in two halves, the second after a while. */
async function host(): Promise<{ readonly url: string; connections(): Promise<number> }> {
  const server = createServer({ keepAliveTimeout: 30_000 }, (_request, response) => {
    response.write('first ')
    setTimeout(() => response.end('second'), 150)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
  }
}

test('connections to hosts that are gone from the configuration are closed when what runs on them has ended', async () => {
  const transport = undiciTransport()
  const [kept, gone] = [await host(), await host()]
  const send = async (url: string): Promise<string> => {
    const { body } = await transport.send({ method: 'GET', url, headers: {}, body: '', connectMs: 1_000 }, new Cancellation())
    let text = ''
    for await (const bytes of body) text += new TextDecoder().decode(bytes)
    return text
  }
  const running = [send(kept.url), send(gone.url)]
  await sleep(60)
  transport.keepOnly?.(new Set([kept.url]))
  assert.deepEqual(await Promise.all(running), ['first second', 'first second'])
  await sleep(200)
  assert.deepEqual([await kept.connections(), await gone.connections()], [1, 0])
  // A call that began before the reload may still want it.
  assert.equal(await send(gone.url), 'first second')
  await transport.close()
})
