/** A short form of `npm run nemesis`, with a new seed each time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceMissing } from '../services/install.ts'
import { type NemesisOptions, nemesis } from './nemesis.ts'

const seed = Number(process.env['SIGNALBOX_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

for (const [shape, rounds] of [
  ['threads', 6],
  ['fleet', 10],
] as const satisfies readonly (readonly [NemesisOptions['shape'], number])[])
  test(`the ledger tells what the provider counted, whatever breaks: ${shape}`, { timeout: 180_000 }, async (t) => {
    t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
    try {
      const { faults, ...rest } = await nemesis({ shape, rounds, seed, tell: (line) => t.diagnostic(line) })
      t.diagnostic(JSON.stringify(rest))
      assert.deepEqual(faults, [])
      assert.ok(rest.received > 50)
    } catch (error) {
      if (!(error instanceof ServiceMissing)) throw error
      t.skip(error.message)
    }
  })
