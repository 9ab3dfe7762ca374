import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { chanceOf, runSeed } from '../../../test/random.ts'
import type { Opening, Settlement } from '../../core/ledger.ts'
import { storeUnavailable } from '../sql/trouble.ts'
import { openingRecord, settlementRecord } from './codec.ts'
import { openJournal } from './journal.ts'
import type { Known } from './rows.ts'
import { createShipper, type ShipperOptions } from './ship.ts'
import { openingFor, settlementFor } from './testing/ledger-contract.ts'
import { ledgerRig } from './testing/ledger-rig.ts'
import { assertOrderIsIndifferent } from './testing/order.ts'
import type { LedgerWriter } from './writer.ts'

/** A database of the simplest kind, with trouble to order. */
function scriptedWriter() {
  const rows = new Map<string, { opening?: Opening; settlement?: Settlement }>()
  const writer: LedgerWriter & { trouble: (batch: readonly Known[]) => unknown; rows: typeof rows; writes: number } = {
    rows,
    writes: 0,
    trouble: () => undefined,
    async write(batch) {
      writer.writes++
      await null
      const error = writer.trouble(batch)
      if (error) throw error
      for (const { id, opening, settlement } of batch)
        rows.set(id, { ...rows.get(id), ...(opening && { opening }), ...(settlement && { settlement }) })
    },
  }
  return writer
}

function shipperOn(t: TestContext, writer: LedgerWriter, options: Partial<ShipperOptions> = {}, segmentBytes = 1_000_000) {
  const directory = mkdtempSync(join(tmpdir(), 'ship-'))
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const journal = openJournal({ directory, warn, segmentBytes })
  const shipper = createShipper({ journal, writer, instance: 'd.run', warn, everyMs: 5, patienceMs: 50, ...options })
  t.after(async () => {
    await shipper.stop()
    journal.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const open = (id: string, more: Partial<Opening> = {}): void => shipper.take(openingRecord(openingFor(id, more)))
  const settle = (id: string, more: Partial<Settlement> = {}): void => shipper.take(settlementRecord(settlementFor(id, more)))
  return { shipper, journal, directory, warnings, open, settle }
}

test('a call that ends soon is one row once; a long one shows while it runs', async (t) => {
  const writer = scriptedWriter()
  const { open, settle, shipper } = shipperOn(t, writer)
  open('short')
  settle('short')
  await sleep(30)
  assert.deepEqual([writer.writes, writer.rows.get('short')?.settlement?.status], [1, 200])
  open('long')
  await sleep(150)
  assert.ok(writer.rows.get('long')?.opening)
  settle('long')
  await shipper.flush(1_000)
  assert.ok(writer.rows.get('long')?.settlement)
})

test('while the database is away memory is bounded and nothing is lost', async (t) => {
  const writer = scriptedWriter()
  const { open, settle, shipper, directory } = shipperOn(t, writer, { memory: 100, batch: 20 }, 20_000)
  writer.trouble = () => storeUnavailable('away')
  for (let number = 0; number < 1_000; number++) {
    open(`id_${number}`)
    if (number >= 10) settle(`id_${number - 10}`, { cost: BigInt(number - 10), charge: 1n })
    assert.ok(shipper.state.waiting <= 120)
    if (number % 50 === 0) await sleep(1)
  }
  await assert.rejects(shipper.flush(50), /away/)
  assert.equal(shipper.state.behind, true)
  assert.ok(readdirSync(directory).length > 5)
  writer.trouble = () => undefined
  // Calls go on while it catches up.
  for (let number = 1_000; number < 1_100; number++) {
    open(`id_${number}`)
    settle(`id_${number - 10}`, { cost: BigInt(number - 10), charge: 1n })
    if (number % 10 === 0) await sleep(1)
  }
  await shipper.flush(20_000)
  assert.equal(writer.rows.size, 1_100)
  for (let number = 0; number < 1_090; number++) {
    const row = writer.rows.get(`id_${number}`)
    assert.ok(row?.opening, `opening ${number}`)
    assert.equal(row.settlement?.cost, BigInt(number))
  }
  assert.deepEqual([shipper.state.behind, shipper.state.dropped, shipper.state.waiting], [false, 0, 0])
  await sleep(20)
  assert.ok(readdirSync(directory).length <= 2, 'what is shipped takes no room')
})

test('an entry that the database refuses does not hold up the others', async (t) => {
  const writer = scriptedWriter()
  const { open, settle, shipper, warnings } = shipperOn(t, writer)
  writer.trouble = (batch) => batch.some(({ id }) => id === 'bad') && Object.assign(new Error('too big'), { code: '54000' })
  for (const id of ['a', 'bad', 'b', 'c', 'd']) {
    open(id)
    settle(id)
  }
  await shipper.flush(1_000)
  assert.deepEqual([...writer.rows.keys()].sort(), ['a', 'b', 'c', 'd'])
  assert.equal(shipper.state.refused, 1)
  assert.match(warnings.join(), /refuses ledger entry bad/)
})

test('a flush under load ends', async (t) => {
  const { open, settle, shipper } = shipperOn(t, scriptedWriter(), { batch: 10 })
  let on = true
  const load = (async () => {
    for (let number = 0; on; number++) {
      open(`id_${number}`)
      settle(`id_${number}`)
      if (number % 20 === 0) await new Promise(setImmediate)
    }
  })()
  await sleep(20)
  await shipper.flush(2_000)
  on = false
  await load
})

test('whatever is told in whatever order and however often, SQLite ends up the same', async (t) => {
  const seed = runSeed()
  t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  await assertOrderIsIndifferent((await ledgerRig(t)).database, chanceOf(seed))
})
