/** `ledger: { durability: strict }`: what a caller was told has ended is on disk, even if the machine stops at that moment. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gatewayProcess, OWNER } from './nemesis/gateway.ts'

for (const stream of [false, true])
  test(`a gateway that is killed with the last byte of ${stream ? 'a stream' : 'an answer'} has lost nothing of it`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'signalbox-strict-'))
    const gateway = await gatewayProcess('one', directory, {
      store: { url: 'sqlite:./signalbox.db' },
      ledger: { durability: 'strict' },
      access: { mode: 'keys' },
      providers: { simulator: {} },
      models: { work: { targets: [{ provider: 'simulator', model: 'echo', price: { input: 1, output: 2 } }] } },
    })
    try {
      await gateway.start()
      const authorization = `Bearer ${OWNER}`
      const body = JSON.stringify({ model: 'work', stream, messages: [{ role: 'user', content: 'Hello there' }] })
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: { authorization }, body })
      assert.equal(answer.status, 200)
      await answer.text()
      const id = answer.headers.get('x-signalbox-request-id')
      await gateway.kill()
      await gateway.start()
      const until = Date.now() + 8_000
      let entries: { id: string; state: string; charge?: string }[] = []
      while (entries.length === 0 && Date.now() < until) {
        const told = await (await fetch(`${gateway.url}/admin/v1/usage/entries`, { headers: { authorization } })).text()
        entries = told
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line))
      }
      assert.deepEqual(
        entries.map((entry) => [entry.id, entry.state]),
        [[id, 'settled']],
      )
      assert.ok(Number(entries[0]?.charge) > 0)
    } finally {
      await gateway.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  })
