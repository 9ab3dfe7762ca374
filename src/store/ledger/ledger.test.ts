import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryLedger } from './memory-ledger.ts'
import { assertPagesAreBounded } from './testing/bounded-pages.ts'
import { ledgerContract, openingFor, settlementFor } from './testing/ledger-contract.ts'
import { ledgerRig } from './testing/ledger-rig.ts'

ledgerContract('memory', async () => createMemoryLedger())
ledgerContract('SQLite', async (t) => (await ledgerRig(t)).ledger())

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }

test('with a full disk calls go on and the database has them all the same', async (t) => {
  const rig = await ledgerRig(t)
  const write = (): number => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  }
  const ledger = rig.ledger({ journal: { write } })
  for (let index = 0; index < 200; index++) {
    ledger.open(openingFor(`id_${index}`))
    ledger.settle(settlementFor(`id_${index}`, { cost: 1n, charge: 1n }))
  }
  const [row] = await ledger.usage({ by: [], ...all })
  assert.deepEqual([row?.requests, row?.cost], [200, 200n])
  assert.equal(rig.warnings.length, 1)
  assert.match(rig.warnings[0] ?? '', /cannot be written: ENOSPC/)
  assert.ok(ledger.state.unwritten >= 200)
})

test('openings at commit: nothing is on file before, all of it after, and it costs one write', async (t) => {
  const { readdirSync, readFileSync, writeSync } = await import('node:fs')
  const { join } = await import('node:path')
  const rig = await ledgerRig(t)
  let writes = 0
  const write = (fd: number, text: string | Uint8Array): number => {
    writes++
    return writeSync(fd, text as string)
  }
  const ledger = rig.ledger({ openings: 'at-commit', journal: { write } })
  const [folder] = readdirSync(join(rig.directory, 'journal')).filter((name) => name.startsWith('run-'))
  const lines = (): number => readFileSync(join(rig.directory, 'journal', folder!, '000001.journal'), 'utf8').split('\n').length - 1
  for (let index = 0; index < 10; index++) ledger.open(openingFor(`id_${index}`))
  assert.equal(lines(), 0)
  ledger.commit()
  ledger.commit()
  assert.deepEqual([lines(), writes], [10, 1])
  const other = rig.ledger()
  other.open(openingFor('at once'))
  assert.equal(rig.warnings.length, 0)
})

test('strict: what settled resolved for is on disk', async (t) => {
  const ledger = (await ledgerRig(t)).ledger({ durability: 'strict' })
  ledger.open(openingFor('a'))
  ledger.settle(settlementFor('a', { cost: 1n, charge: 1n }))
  await ledger.settled('a')
  assert.equal((await ledger.find('a'))?.settlement?.cost, 1n)
})

test('a decision record that is no JSON does not cost the settlement', async (t) => {
  const rig = await ledgerRig(t)
  const ledger = rig.ledger()
  const record: Record<string, unknown> = { big: 1n }
  record['self'] = record
  ledger.open(openingFor('a'))
  ledger.settle(settlementFor('a', { cost: 3n, charge: 3n, record }))
  assert.equal((await ledger.find('a'))?.settlement?.cost, 3n)
  assert.match(rig.warnings.join(), /decision record could not be kept/)
})

test('a page of the newest calls looks at so many and no more, along the index', async (t) => {
  const rig = await ledgerRig(t)
  await assertPagesAreBounded(rig.database, rig.ledger())
})
